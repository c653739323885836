//! Where coordination happens, as one URL says it.

use crate::net::Address;
use crate::{Error, ErrorKind};

/// What is known, for those who wrote something else.
const KNOWN: &str = "known are memory: and memory:NAME (this process), tenure://HOST:PORT[,HOST:PORT…] (services), and \
                     tenures://… (services, in TLS)";

/// Where coordination happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this process, in the world of that name.
    Memory(String),
    /// In services, over which the keys are spread.
    Services(Vec<Address>),
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(name) = url.strip_prefix("memory:") {
            return Ok(Self::Memory(name.to_owned()));
        }
        if !url.split_once("://").is_some_and(|(scheme, _)| is_service(scheme)) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("nothing is known of the URL {url:?}: {KNOWN}"),
            ));
        }
        Address::list(url).map(Self::Services).map_err(|why| {
            Error::with_source(ErrorKind::Invalid, format!("the URL {url:?} is not understood: {KNOWN}"), why)
        })
    }
}

fn is_service(scheme: &str) -> bool {
    matches!(scheme, "tenure" | "tenures")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn services(url: &str) -> Vec<String> {
        let Place::Services(addresses) = Place::parse(url).expect(url) else { panic!("{url} is a service") };
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn memory_may_have_a_name() {
        assert_eq!(Place::parse("memory:").expect("known"), Place::Memory(String::new()));
        assert_eq!(Place::parse("memory:tests").expect("known"), Place::Memory("tests".to_owned()));
    }

    #[test]
    fn services_are_one_or_several() {
        assert_eq!(services("tenure://a:7000"), ["tenure://a:7000"]);
        assert_eq!(
            services("tenures://a,b:7000,[::1]/"),
            ["tenures://a:6388", "tenures://b:7000", "tenures://[::1]:6388"]
        );
    }

    #[test]
    fn what_is_not_understood_says_what_is_known() {
        for url in
            ["", "redis://here", "tenure:", "memory", "tenure://", "tenure://a,,b", "tenure://a,tenure://b"]
        {
            let error = Place::parse(url).expect_err(url);
            assert_eq!(error.kind(), &ErrorKind::Invalid, "{url}");
            for known in ["memory:", "memory:NAME", "tenure://HOST:PORT[,HOST:PORT…]", "tenures://"] {
                assert!(error.to_string().contains(known), "{error}");
            }
        }
        let error = Place::parse("tenure://a,b:0").expect_err("no port");
        assert!(error.source().expect("what is wrong with it").to_string().contains("1 to 65535"));
    }
}
