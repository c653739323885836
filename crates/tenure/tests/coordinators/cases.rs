//! The table.

mod claims;
mod leases;
mod line;
mod looking;
mod taking;

use crate::bed::Bed;
use std::pin::Pin;

/// One guarantee, and what shows it.
pub(crate) struct Case {
    /// Its name.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) guarantee: &'static str,
    /// It takes a client that can die while the others live.
    pub(crate) mortal: bool,
    /// Panics where it does not hold.
    pub(crate) run: fn(Bed) -> Running,
}

/// A case that runs.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A row of the table.
macro_rules! cases {
    ($($id:ident: $guarantee:literal $(, $mortal:ident)?;)*) => {
        pub(crate) fn cases() -> Vec<crate::cases::Case> {
            vec![$(crate::cases::Case {
                id: stringify!($id),
                guarantee: $guarantee,
                mortal: [$(stringify!($mortal),)? ""][0] == "mortal",
                run: |bed| Box::pin($id(bed)),
            }),*]
        }
    };
}
pub(crate) use cases;

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [line::cases(), claims::cases(), leases::cases(), taking::cases(), looking::cases()]
        .into_iter()
        .flatten()
        .collect()
}
