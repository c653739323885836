//! Where a setting comes from: its flag, else the environment.

use std::ffi::OsString;

use super::values::Given;

/// A flag, and the names that it has in the environment, the newest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    flag: &'static str,
    env: &'static [&'static str],
}

/// The environment.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Setting {
    pub(super) const fn new(flag: &'static str, env: &'static [&'static str]) -> Self {
        Self { flag, env }
    }

    /// The name of the flag.
    pub(super) const fn flag(self) -> &'static str {
        self.flag
    }

    /// What the flag says.
    pub(super) fn by_flag(self, value: Option<&OsString>) -> Option<Given> {
        value.map(|text| Given { from: self.flag.to_owned(), text: text.clone() })
    }
}

impl Environment<'_> {
    /// What the flag says, else the first of its variables that says anything.
    pub(super) fn given(&self, setting: Setting, value: Option<&OsString>) -> Option<Given> {
        setting.by_flag(value).or_else(|| self.by_environment(setting).filter(|given| !given.text.is_empty()))
    }

    /// What the environment says, be it nothing but an empty text.
    pub(super) fn by_environment(&self, setting: Setting) -> Option<Given> {
        let found = |name: &&str| {
            let text = (self.0)(name)?;
            Some(Given { from: format!("{} (from {name})", setting.flag), text })
        };
        setting.env.iter().find_map(found)
    }
}
