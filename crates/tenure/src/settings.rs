//! What locks, semaphores, read-write locks and elections have in common, said once.

/// How long, and how often.
macro_rules! settings {
    ($name:ident) => {
        impl $name {
            /// How long a grant lives unless it is renewed: 30 s unless told otherwise, 1 ms to 24 h.
            ///
            /// It is how long everyone waits for a holder that has died, and how long a holder goes without its coordinator
            /// before it has to stop. One round trip has to fit into a third of it.
            pub fn ttl(mut self, ttl: std::time::Duration) -> Self {
                self.gate.terms_mut().ttl = ttl;
                self
            }

            /// How often the grant is renewed: a third of the TTL unless told otherwise. It has to be less than the TTL and
            /// its margin, a tenth or 1 s.
            pub fn renew_every(mut self, every: std::time::Duration) -> Self {
                self.gate.terms_mut().renew_every = Some(every);
                self
            }

            /// How long to wait in line: `None`, for ever, unless told otherwise. With no time at all what is not free is
            /// `Contended`.
            pub fn wait(mut self, wait: impl Into<Option<std::time::Duration>>) -> Self {
                self.gate.terms_mut().wait = wait.into();
                self
            }

            /// How often to ask again when the way to the coordinator fails: as the client says, unless told otherwise.
            pub fn retry(mut self, retry: $crate::Retry) -> Self {
                self.gate.terms_mut().retry = retry;
                self
            }

            /// What the claim ends with, besides its release: as the client says, unless told otherwise. `Bond::Lease` is
            /// for the line protocol, and `Invalid` here.
            pub fn bond(mut self, bond: $crate::Bond) -> Self {
                self.gate.terms_mut().bond = bond;
                self
            }
        }
    };
}

/// As whom.
macro_rules! identity {
    ($name:ident) => {
        impl $name {
            /// The id to ask with, instead of a new one each time. Whoever asks again with the same id asks for the same
            /// thing: after a crash, to [`resume`](Self::resume) what an earlier run held.
            ///
            /// An id is a secret: whoever knows it has the claim. Draw it with
            /// [`entropy::claim_id`](crate::entropy::claim_id), use it for one claim at a time, and keep it where only your
            /// program can read it.
            ///
            /// Within one client, whoever asks last with an id has it, and what was asked for with it before is lost: a
            /// guard, and a place in line too. To [try](Self::try_acquire) what is not free with the id of a ticket that
            /// waits is to leave the line.
            pub fn claim_id(mut self, id: $crate::ClaimId) -> Self {
                self.gate.terms_mut().claim_id = Some(id);
                self
            }
        }

        $crate::settings::label!($name);
    };
}

/// Under which name.
macro_rules! label {
    ($name:ident) => {
        impl $name {
            /// What others see of the claim, beside the host and the process: at most 256 bytes. That of the client unless
            /// told otherwise.
            pub fn label(mut self, label: impl AsRef<str>) -> Self {
                self.gate.label(label.as_ref());
                self
            }
        }
    };
}

/// What can be done with permits.
macro_rules! operations {
    ($name:ident, $make:literal) => {
        impl $name {
            /// Waits until it is free, or for as long as [`wait`](Self::wait) says, and holds it.
            ///
            #[doc = $crate::settings::example!($make, "let guard = it.acquire().await?;\nassert!(!guard.is_lost());")]
            ///
            /// # Errors
            ///
            /// - `TimedOut`, `Contended`: it did not come free in time; it was not free, and there was no time to wait.
            /// - `Invalid`: the key, a span of time, a number of permits or a label makes no sense; or the TTL is too short
            ///   for the way to the coordinator, and the message says how long that took.
            /// - `LimitMismatch`, `Conflict`, `Full`: see [`ErrorKind`](crate::ErrorKind).
            /// - `Lost`: somebody took it away before it was held.
            /// - `Unavailable`, `Indeterminate`, `Draining`: nobody could be asked, as often as that was
            ///   [tried](Self::retry). What may have been granted is taken back.
            /// - `Denied`: the service asks for another token.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves the line, and gives back what was granted meanwhile. Whoever asks again comes
            /// last.
            pub async fn acquire(&self) -> Result<$crate::Guard, $crate::Error> {
                self.gate.acquire(self.gate.terms().permits).await
            }

            /// Holds it if it is free now; `None` when it is not.
            ///
            #[doc = $crate::settings::example!($make, "let guard = it.try_acquire().await?.expect(\"nobody has it\");")]
            ///
            /// # Errors
            ///
            /// Those of [`acquire`](Self::acquire), but for those of waiting.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future gives back what was granted meanwhile.
            pub async fn try_acquire(&self) -> Result<Option<$crate::Guard>, $crate::Error> {
                self.gate.try_acquire(self.gate.terms().permits).await
            }

            /// Waits so long at most, whatever [`wait`](Self::wait) says.
            ///
            /// # Errors
            ///
            /// `TimedOut` when it did not come free; it has left the line then. And those of [`acquire`](Self::acquire).
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            pub async fn acquire_timeout(&self, wait: std::time::Duration) -> Result<$crate::Guard, $crate::Error> {
                self.gate.acquire_timeout(self.gate.terms().permits, wait).await
            }

            /// Does something while holding it: acquires, runs `work`, releases, and gives back what `work` was ready with.
            ///
            /// When it is lost meanwhile, `work` is dropped where it stands, before its next step. It is released whether
            /// `work` succeeds, fails, panics or is cancelled.
            ///
            #[doc = $crate::settings::example!($make, "let written = it.with_lock(async |guard| guard.fence()).await?;")]
            ///
            /// # Errors
            ///
            /// `Lost` when it was lost before `work` was done, and those of [`acquire`](Self::acquire). That the release
            /// failed is no error: it is tried again in the background.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future drops `work` where it stands and releases in the background.
            pub async fn with_lock<T>(&self, work: impl AsyncFnOnce(&$crate::Guard) -> T) -> Result<T, $crate::Error> {
                self.acquire().await?.run(work).await
            }

            /// The same if it is free now; `None`, and nothing is done, when it is not.
            ///
            /// # Errors
            ///
            /// Those of [`with_lock`](Self::with_lock), but for those of waiting.
            ///
            /// # Cancel safety
            ///
            /// As for [`with_lock`](Self::with_lock).
            pub async fn with_lock_if_available<T>(
                &self,
                work: impl AsyncFnOnce(&$crate::Guard) -> T,
            ) -> Result<Option<T>, $crate::Error> {
                match self.try_acquire().await? {
                    Some(guard) => guard.run(work).await.map(Some),
                    None => Ok(None),
                }
            }

            /// Takes over what an earlier run of this program held with the same [`claim_id`](Self::claim_id): renews it
            /// and, if it was still there, goes on holding it. `None` when it is gone; it never waits.
            ///
            /// Its fence is the one that it had. A guard of the earlier run that still believes is lost.
            ///
            /// # Errors
            ///
            /// `Invalid` without a claim id, and those of [`acquire`](Self::acquire), but for those of waiting.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves it to its lease, which may have been renewed.
            pub async fn resume(&self) -> Result<Option<$crate::Guard>, $crate::Error> {
                self.gate.resume(self.gate.terms().permits).await
            }

            /// Asks without waiting: it is held at once, or there is a place in line.
            ///
            /// # Errors
            ///
            /// Those of [`acquire`](Self::acquire), but for those of waiting.
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            pub async fn enqueue(&self) -> Result<$crate::Enqueued, $crate::Error> {
                self.gate.enqueue(self.gate.terms().permits).await
            }

            /// Whether whoever asks now has to wait.
            ///
            /// # Errors
            ///
            /// `Invalid` for what is no key, and those of asking at all.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn is_locked(&self) -> Result<bool, $crate::Error> {
                self.gate.is_locked(self.gate.terms().permits).await
            }
        }

        $crate::settings::looks!($name);
    };
}

/// What can be seen of a key, and done to it.
macro_rules! looks {
    ($name:ident) => {
        impl $name {
            /// The name of the key.
            pub fn key(&self) -> &[u8] {
                &self.gate.named.name
            }

            /// Who holds it: their labels, since when, their fences, and how long their leases last. The first 64 of them.
            ///
            /// # Errors
            ///
            /// As for [`inspect`](Self::inspect).
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn holders(&self) -> Result<Vec<$crate::HolderInfo>, $crate::Error> {
                self.gate.holders().await
            }

            /// Everything that there is to see: holders, waiters in order, and who held it last. `None` when nobody uses it,
            /// or has lately.
            ///
            /// # Errors
            ///
            /// `Invalid` for what is no key, and those of asking at all.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn inspect(&self) -> Result<Option<$crate::Inspection>, $crate::Error> {
                self.gate.inspect().await
            }

            /// How many permits are out.
            ///
            /// # Errors
            ///
            /// As for [`inspect`](Self::inspect).
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn count(&self) -> Result<u32, $crate::Error> {
                self.gate.count().await
            }

            /// Watches it: grants, their ends and how they came, and how long the line is.
            ///
            /// # Errors
            ///
            /// As for [`inspect`](Self::inspect).
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn watch(&self) -> Result<$crate::Watch, $crate::Error> {
                self.gate.watch().await
            }

            /// Takes it away from all who hold it; how many those were. Their guards are lost at once, and hear the reason:
            /// at most 256 bytes. Those in line stay there, and the first of them is next.
            ///
            /// A victim that does not run cannot be told. Only the [fence](crate::Guard::fence) keeps it from acting.
            ///
            /// # Errors
            ///
            /// - `Invalid` for what is no key, or too long a reason.
            /// - `Indeterminate` when it may have happened; look before you do it again.
            ///
            /// # Cancel safety
            ///
            /// When the future is dropped, it may have happened or not.
            pub async fn steal(&self, reason: &str) -> Result<u64, $crate::Error> {
                self.gate.steal(None, reason).await
            }

            /// The same for the one grant with that fence; whether it was there.
            ///
            /// # Errors
            ///
            /// As for [`steal`](Self::steal).
            ///
            /// # Cancel safety
            ///
            /// As for [`steal`](Self::steal).
            pub async fn steal_one(&self, fence: $crate::Fence, reason: &str) -> Result<bool, $crate::Error> {
                Ok(self.gate.steal(Some(fence), reason).await? > 0)
            }

            /// Ends the grant that a token proves, whoever holds it.
            ///
            /// # Errors
            ///
            /// As for [`inspect`](Self::inspect).
            ///
            /// # Cancel safety
            ///
            /// When the future is dropped, it may have happened or not.
            pub async fn release_token(
                &self,
                token: $crate::Token,
            ) -> Result<$crate::Released, $crate::Error> {
                self.gate.release_token(token).await
            }
        }
    };
}

/// An example on `memory:`.
macro_rules! example {
    ($make:literal, $code:literal) => {
        concat!(
            "```\n# #[tokio::main(flavor = \"current_thread\")]\n# async fn main() -> Result<(), tenure::Error> {\n",
            "# let tenure = tenure::Tenure::builder().clock(tenure::Clock::manual()).connect(\"memory:\").await?;\n",
            "let it = tenure.",
            $make,
            ";\n",
            $code,
            "\n# Ok(())\n# }\n```",
        )
    };
}

pub(crate) use {example, identity, label, looks, operations, settings};
