//! What chance can do to the shares of a hash ring, told without computing the ring.
//!
//! In: a tier. Out: whether its shares are so near to its weights that a rule need not look at them.

use super::tier::Tier;
use crate::model::{Algorithm, Engine, HashMethod, Server};

/// Points that nginx puts on the ring for each unit of weight (`ngx_http_upstream_hash_module.c`).
const NGINX_POINTS: u32 = 160;

/// Points that HAProxy puts on the ring for each unit of weight (`BE_WEIGHT_SCALE`).
const HAPROXY_POINTS: u32 = 16;

/// From here on ids of HAProxy share points with smaller ones: those of a server start at 4096 times its id.
const IDS: u32 = 1 << 20;

/// What has a chance below e to the power of minus this, one in 10^12, does not happen.
const NEVER: f64 = 28.0;

/// Whether every server has more than `1 / factor` and less than `factor` times the share that its weight says.
///
/// The arcs of one server add up like as many waiting times. By the bound of Chernoff for such sums (the gamma
/// distribution), k of them are below `1 / factor` of their mean with a chance of at most
/// `exp(-k (ln factor + 1 / factor - 1))`, and above `factor` times it with a smaller one.
pub(super) fn keeps_to_weights(tier: &Tier<'_, '_>, factor: f64) -> bool {
    let Some(points) = points(tier).filter(|_| factor > 1.0) else {
        return false;
    };
    let lightest = tier.servers().map(|server| server.weight.value).min();
    let arcs = f64::from(points) * f64::from(lightest.unwrap_or(0));
    arcs * (factor.ln() + factor.recip() - 1.0) > NEVER
}

/// The points for each unit of weight, where every server has its own.
fn points(tier: &Tier<'_, '_>) -> Option<u32> {
    let backend = tier.view.backend;
    let hashes = matches!(backend.algorithm.value, Algorithm::Hash(_));
    match (
        backend.hash_type.value.method,
        tier.view.context.instance.engine,
    ) {
        (HashMethod::Ketama, Engine::Nginx) if hashes => {
            tier.hosts_differ().then_some(NGINX_POINTS)
        }
        (HashMethod::Ring, Engine::Haproxy) if hashes => {
            let has_own =
                |server: &Server| server.id().value < IDS && server.options.hash_key.is_none();
            let mut servers = tier.servers();
            servers.all(has_own).then_some(HAPROXY_POINTS)
        }
        _ => None,
    }
}
