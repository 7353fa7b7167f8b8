//! What bounds the connections of a server.
//!
//! In: a server of the model. Out: its limits, which only picks ask for.

use std::time::Duration;

use crate::model::Server;

/// The limits of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most concurrent connections.
    pub(super) maxconn: Option<u32>,
    /// HAProxy `maxqueue`, 0 for none.
    pub(super) maxqueue: u32,
    /// HAProxy `minconn`, 0 for none.
    pub(super) minconn: u32,
    /// HAProxy `slowstart`, zero for none.
    pub(super) slowstart: Duration,
}

impl Limits {
    pub(super) fn of(server: &Server) -> Self {
        let options = &server.options;
        let minconn = options.minconn.as_ref();
        let minconn = minconn.and_then(|most| most.known().copied()).unwrap_or(0);
        // A larger `minconn` is the limit (`check_config_validity`).
        let maxconn = server.maxconn.known().copied().flatten();
        let maxconn = Some(maxconn.unwrap_or(0).max(minconn)).filter(|most| *most > 0);
        let slowstart = options.slowstart.as_ref();
        Self {
            maxconn,
            maxqueue: options.maxqueue.as_ref().map_or(0, |queue| queue.value),
            minconn,
            slowstart: slowstart.map_or(Duration::ZERO, |time| time.value),
        }
    }

    /// The number of connections that grows with those of the backend.
    pub(super) fn moves(&self) -> bool {
        self.minconn > 0 && self.maxconn.is_some_and(|most| self.minconn < most)
    }
}
