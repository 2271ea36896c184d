//! Fair shares: one tenant's flood does not slow the others down. Every tenant has a lane: so many requests run in it at once, and its budget
//! refills at a steady rate. Who comes too fast waits a little; who keeps coming is told to wait (429) and how long.
//!
//! The budget follows the generic cell rate algorithm (ITU-T I.371): a lane remembers only when it would be even again.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ids::TenantId;

/// What one tenant may use of the hub.
#[derive(Debug, Clone, Copy)]
pub struct FairLimits {
    /// Requests that run at once.
    pub at_once: usize,
    /// Cost per second that is refilled: a read costs 1, a write [`WRITE_COST`].
    pub per_second: NonZeroU32,
    /// Cost that may be spent at once by who was quiet.
    pub burst: u32,
    /// Requests that may wait.
    pub waiting: usize,
    /// Longest that one waits.
    pub wait: Duration,
}

impl Default for FairLimits {
    fn default() -> Self {
        Self {
            at_once: 8,
            per_second: NonZeroU32::new(400).expect("not zero"),
            burst: 1_200,
            waiting: 64,
            wait: Duration::from_secs(5),
        }
    }
}

/// What a write costs, where a read costs 1: it is durable before it is answered.
pub const WRITE_COST: u32 = 4;

/// How long a refusal is held back: whoever asks again at once is slowed down by it.
const REFUSE_AFTER: Duration = Duration::from_millis(500);
/// Lanes kept; those in which nothing happens are forgotten beyond that.
const LANES_MAX: usize = 10_000;

/// The lanes of all tenants.
pub(crate) struct Fair {
    limits: Option<FairLimits>,
    lanes: Mutex<HashMap<Uuid, Arc<Lane>>>,
}

struct Lane {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// When all that was let in is paid for.
    even_at: Mutex<Instant>,
}

/// A request's place in its lane, given back when the last copy is dropped.
#[derive(Clone)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held for its drop")] Option<Arc<OwnedSemaphorePermit>>);

/// One who waits, counted.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fair {
    pub fn new(limits: Option<FairLimits>) -> Self {
        Self { limits, lanes: Mutex::default() }
    }

    /// Takes a turn in the tenant's lane, waiting for it if need be.
    ///
    /// # Errors
    /// `TooMany` when too many wait already, or the wait would be too long.
    pub async fn turn(&self, tenant: TenantId, cost: u32) -> Result<Turn> {
        let Some(limits) = self.limits else { return Ok(Turn(None)) };
        let lane = self.lane(tenant, limits);
        let pause = match lane.spend(cost, limits) {
            Ok(pause) => pause,
            Err(too_much) => return Err(refuse(too_much).await),
        };
        if pause.is_zero()
            && let Ok(permit) = lane.running.clone().try_acquire_owned()
        {
            return Ok(Turn(Some(Arc::new(permit))));
        }
        let waiting = lane.waiting.fetch_add(1, Ordering::SeqCst);
        let _counted = Waiting(&lane.waiting);
        if waiting >= limits.waiting {
            return Err(refuse(limits.wait).await);
        }
        let until = Instant::now() + limits.wait;
        tokio::time::sleep(pause).await;
        match tokio::time::timeout_at(until, lane.running.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(Some(Arc::new(permit)))),
            Ok(Err(_)) | Err(_) => Err(Error::TooMany(limits.wait.as_secs().max(1))),
        }
    }

    fn lane(&self, tenant: TenantId, limits: FairLimits) -> Arc<Lane> {
        let mut lanes = self.lanes.lock();
        if lanes.len() >= LANES_MAX {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || *lane.even_at.lock() > Instant::now());
        }
        let new = || {
            Arc::new(Lane {
                running: Arc::new(Semaphore::new(limits.at_once.max(1))),
                waiting: AtomicUsize::new(0),
                even_at: Mutex::new(Instant::now()),
            })
        };
        lanes.entry(tenant.uuid()).or_insert_with(new).clone()
    }
}

/// Says that there is too much, and when to come again.
async fn refuse(wait: Duration) -> Error {
    metrics::counter!("tenantry_fair_refused_total").increment(1);
    tokio::time::sleep(REFUSE_AFTER).await;
    Error::TooMany(wait.as_secs().max(1))
}

impl Lane {
    /// Charges a request; answers how long it must wait until the lane can afford it. An error is a wait that is too long; it was not
    /// charged then.
    fn spend(&self, cost: u32, limits: FairLimits) -> Result<Duration, Duration> {
        let price = |cost: u32| Duration::from_secs_f64(f64::from(cost) / f64::from(limits.per_second.get()));
        let now = Instant::now();
        let mut even_at = self.even_at.lock();
        let even_then = (*even_at).max(now) + price(cost);
        let pause = even_then.saturating_duration_since(now).saturating_sub(price(limits.burst));
        if pause > limits.wait {
            return Err(pause);
        }
        *even_at = even_then;
        Ok(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> FairLimits {
        FairLimits {
            at_once: 2,
            per_second: NonZeroU32::new(10).expect("not zero"),
            burst: 5,
            waiting: 3,
            wait: Duration::from_secs(2),
        }
    }

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n))
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_through_and_then_the_rate_holds() {
        let fair = Fair::new(Some(limits()));
        let began = Instant::now();
        for _ in 0..5 {
            fair.turn(tenant(1), 1).await.expect("within the burst");
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            fair.turn(tenant(1), 1).await.expect("after a short wait");
        }
        let took = began.elapsed().as_millis();
        assert!((990..=1_050).contains(&took), "ten more at ten a second took {took} ms");
        // Somebody else's lane is untouched.
        let other = Instant::now();
        fair.turn(tenant(2), 1).await.expect("a lane of its own");
        assert_eq!(other.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_so_at_once() {
        let fair = Fair::new(Some(limits()));
        let error = fair.turn(tenant(1), 40).await.err().expect("40 at 10 a second, 5 of them free, is more than 2 s");
        assert!(matches!(error, Error::TooMany(3)), "{error}");
        fair.turn(tenant(1), 1).await.expect("what was refused was not charged");
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_run_and_only_so_many_wait() {
        let fair = Arc::new(Fair::new(Some(limits())));
        let held = [fair.turn(tenant(1), 0).await.expect("one"), fair.turn(tenant(1), 0).await.expect("two")];
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let fair = fair.clone();
                tokio::spawn(async move { fair.turn(tenant(1), 0).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(fair.turn(tenant(1), 0).await, Err(Error::TooMany(_))));
        drop(held);
        for one in waiting {
            one.await.expect("no panic").expect("its turn comes");
        }
    }

    #[tokio::test]
    async fn without_limits_there_is_no_waiting() {
        let fair = Fair::new(None);
        for _ in 0..10_000 {
            fair.turn(tenant(1), 1_000).await.expect("no limit");
        }
    }
}
