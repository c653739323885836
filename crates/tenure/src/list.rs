//! All keys, one after another.

use crate::connect::Tenure;
use crate::coordinator::Page;
use crate::unfold::{Unfold, stream};
use crate::{Error, Summary};
use std::sync::Arc;
use std::vec::IntoIter;

/// The keys that are in use, or were lately, from all addresses of a client, in no particular order. They are fetched as
/// they are asked for, so one that comes or goes meanwhile may be among them or not. After an error there are no more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// # let tenure = tenure::Tenure::connect("memory:list").await?;
/// let guard = tenure.lock("jobs/a").acquire().await?;
/// let other = tenure.lock("mail").acquire().await?;
///
/// let mut keys = tenure.list("jobs/");
/// while let Some(key) = keys.next().await {
///     assert_eq!(key?.name, b"jobs/a");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is fetched before it is asked for"]
pub struct List {
    keys: Unfold<Place, Result<Summary, Error>>,
}

stream!(List, keys, Result<Summary, Error>);

/// How far a list has come.
struct Place {
    client: Tenure,
    prefix: Arc<[u8]>,
    shard: usize,
    page: IntoIter<Summary>,
    next: Option<u32>,
}

impl List {
    pub(crate) fn new(client: Tenure, prefix: &[u8]) -> Self {
        let place =
            Place { client, prefix: prefix.into(), shard: 0, page: Vec::new().into_iter(), next: Some(0) };
        Self { keys: Unfold::new(place, |place| Box::pin(place.step())) }
    }
}

impl Place {
    async fn step(mut self) -> Option<(Result<Summary, Error>, Self)> {
        loop {
            if let Some(key) = self.page.next() {
                return Some((Ok(key), self));
            }
            if self.shard == self.client.shards().all().len() {
                return None;
            }
            if let Err(error) = self.turn_page().await {
                self.shard = self.client.shards().all().len();
                return Some((Err(error), self));
            }
        }
    }

    async fn turn_page(&mut self) -> Result<(), Error> {
        let Some(cursor) = self.next else {
            (self.shard, self.next) = (self.shard + 1, Some(0));
            return Ok(());
        };
        let shard = &self.client.shards().all()[self.shard];
        let asking = || shard.coordinator.list(&self.prefix, cursor);
        let Page { keys, next } = self.client.retry().run(&shard.clock, asking).await?;
        (self.page, self.next) = (keys.into_iter(), next);
        Ok(())
    }
}
