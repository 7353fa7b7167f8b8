//! Questions about servers, tiers and routes that several rules ask.
//!
//! In: the model. Out: plain answers, with no opinion on whether they are faults.

use std::time::Duration;

use super::BackendView;
use super::wording::percent;
use crate::model::{Algorithm, Backend, CheckTiming, HashMethod, Layer, Redispatch, Server};
use crate::predict::{Basis, ratio};

/// Whether something watches the server: its own check or the one it tracks. What depends on an
/// unknown variable counts as watched. An agent alone does not: an agent that is gone is no failure
/// (HAProxy manual 5.2 `agent-check`).
pub(super) fn is_checked(server: &Server) -> bool {
    server.check.is_opaque() || server.check.value || server.options.track.is_some()
}

/// Whether only its own check judges the server, and no live traffic: with `observe layer7` a wrong
/// answer counts, and a tracked server may be checked in another way.
pub(super) fn is_checked_by_connect(server: &Server) -> bool {
    let observes = server.options.observe.as_ref();
    server.check.known() == Some(&true)
        && server.options.track.is_none()
        && !observes.is_some_and(|observe| observe.is_opaque() || observe.value == "layer7")
}

/// The usable servers of the primary or of the backup tier, with their index in the backend.
pub(super) fn tier(backend: &Backend, primary: bool) -> impl Iterator<Item = (usize, &Server)> {
    (backend.servers.iter().enumerate())
        .filter(move |(_, server)| server.is_primary() == primary && server.is_usable())
}

/// The share that the server at `index` has while everything is up; `None` where the configuration
/// alone does not tell or the server takes no traffic.
pub(super) fn share(view: &BackendView<'_>, index: usize) -> Option<f64> {
    let prediction = (view.prediction()).filter(|known| known.basis != Basis::Load)?;
    let share = prediction.shares.get(index)?;
    Some(ratio(*share)).filter(|share| *share > 0.0)
}

/// What is lost with any one of the servers at these indices: `33.3 %`, or `up to 83.3 %` where they
/// differ; `None` where a share is not known.
pub(super) fn loss(
    view: &BackendView<'_>,
    servers: impl IntoIterator<Item = usize>,
) -> Option<String> {
    let shares: Option<Vec<f64>> = (servers.into_iter())
        .map(|index| share(view, index))
        .collect();
    let shares = shares?;
    let most = shares.iter().copied().reduce(f64::max)?;
    let least = shares.iter().copied().reduce(f64::min)?;
    let (most, least) = (percent(most), percent(least));
    if most == least {
        Some(most)
    } else {
        Some(format!("up to {most}"))
    }
}

/// Whether a hash decides and maps by the total weight, so that a retry computes the same server
/// again. A run showed that redispatch never moves such a key.
pub(super) fn is_map_based(backend: &Backend) -> bool {
    matches!(backend.algorithm.value, Algorithm::Hash(_))
        && backend.hash_type.value.method == HashMethod::Map
}

/// Whether a failed connection is tried on another server (HAProxy `option redispatch`).
pub(super) fn retries_elsewhere(backend: &Backend) -> bool {
    matches!(backend.redispatch.value, Redispatch::On(interval) if interval != 0)
        && backend.retries.value > 0
        && !is_map_based(backend)
}

/// The longest time from the death of a server to `DOWN`, for checks that fail at once: one interval
/// until the first failure, then `fall - 1` fast ones (HAProxy manual 5.2 `inter`, `fastinter`).
pub(super) fn detection(timing: &CheckTiming) -> Duration {
    let fast = timing.fastinter.value.unwrap_or(timing.inter.value);
    let more = timing.fall.value.saturating_sub(1);
    (timing.inter.value).saturating_add(fast.saturating_mul(more))
}

/// The longest detection among the usable primaries that have a check of their own.
pub(super) fn slowest_detection(backend: &Backend) -> Option<Duration> {
    let checked = backend.usable_primaries();
    checked
        .filter(|server| server.check.known() == Some(&true))
        .map(|server| detection(&server.options.timing))
        .max()
}

/// What the clients of a layer send.
pub(super) fn traffic(layer: Layer) -> &'static str {
    match layer {
        Layer::Http => "requests",
        Layer::Tcp => "connections",
        Layer::Udp => "datagrams",
        Layer::Log => "messages",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Setting;

    #[test]
    fn detection_takes_fall_intervals_and_fewer_with_fastinter() {
        let mut timing = CheckTiming::default();
        assert_eq!(detection(&timing), Duration::from_secs(6));
        timing.fastinter = Setting::engine_default(Some(Duration::from_secs(1)));
        assert_eq!(detection(&timing), Duration::from_secs(4));
        timing.fall = Setting::engine_default(u32::MAX);
        timing.inter = Setting::engine_default(Duration::MAX);
        assert_eq!(detection(&timing), Duration::MAX);
    }
}
