//! Pick by pick: the servers the real proxy would choose from a fresh start with one worker.
//!
//! In: a [`Backend`], then requests' keys and what happens to servers. Out: the server of each
//! request, as an index into the backend.

mod haproxy;
mod haproxy_hash;
mod least_conn;
mod limits;
mod nginx;
mod nginx_hash;
mod round_robin;

use std::net::IpAddr;
use std::time::Duration;

use super::pool::{Method, Pool};
use crate::model::{Algorithm, Backend, Engine, HashKey, NextUpstream, Version};

/// What a request is hashed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// The request lacks it, or the algorithm needs none.
    Missing,
    /// Bytes to hash.
    Bytes(&'a [u8]),
    /// The client address, for `source` and `ip_hash`.
    Address(IpAddr),
}

/// A change of a HAProxy server's weight while running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightChange {
    /// `set weight B/S N`.
    To(u32),
    /// `set weight B/S N%`: of the configured weight, rounded down.
    Percent(u32),
}

/// Why no picks can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpredictable {
    /// The choice is random or depends on what a configuration does not say.
    #[error("backend `{backend}` uses {algorithm}, which {reason}")]
    Algorithm {
        /// Its name.
        backend: String,
        /// The algorithm in words of the configuration.
        algorithm: &'static str,
        /// What makes it unpredictable.
        reason: &'static str,
    },
    /// A weight, state or algorithm that the configuration alone does not tell.
    #[error("backend `{0}` cannot be predicted from its configuration alone")]
    Unknown(String),
    /// A change that the real proxy refuses.
    #[error("{0}")]
    Refused(&'static str),
}

/// A backend at work.
#[derive(Debug)]
pub struct Picker<'a> {
    state: State<'a>,
}

#[derive(Debug)]
enum State<'a> {
    Haproxy(Box<haproxy::Haproxy<'a>>),
    Nginx(Box<nginx::Nginx>),
}

impl<'a> Picker<'a> {
    /// The backend right after a start, with every server up that the configuration does not
    /// disable.
    pub fn new(
        engine: Engine,
        version: Version,
        backend: &'a Backend,
    ) -> Result<Self, Unpredictable> {
        let unknown = || Unpredictable::Unknown(backend.name.to_string());
        let pool = Pool::new(engine, version, backend, &[]).ok_or_else(unknown)?;
        if let Some((algorithm, reason)) = surprise(&pool, version, backend) {
            let backend = backend.name.to_string();
            return Err(Unpredictable::Algorithm {
                backend,
                algorithm,
                reason,
            });
        }
        let by_address = matches!(
            backend.algorithm.value,
            Algorithm::Hash(HashKey::Source) | Algorithm::IpHash
        );
        let state = match engine {
            Engine::Haproxy => State::Haproxy(Box::new(
                haproxy::Haproxy::new(pool, by_address).ok_or_else(unknown)?,
            )),
            Engine::Nginx => State::Nginx(Box::new(nginx::Nginx::new(&pool).ok_or_else(unknown)?)),
        };
        Ok(Self { state })
    }

    /// The server of a request that ends before the next one starts; `None` when the proxy answers
    /// with an error itself.
    pub fn pick(&mut self, key: Key<'_>) -> Option<usize> {
        match &mut self.state {
            State::Haproxy(state) => state.pick(key),
            State::Nginx(state) => state.pick(key),
        }
    }

    /// The server of a request that stays open until [`Picker::close`].
    pub fn open(&mut self, key: Key<'_>) -> Option<usize> {
        match &mut self.state {
            State::Haproxy(state) => state.open(key),
            State::Nginx(state) => state.open(key),
        }
    }

    /// Ends one open request on a server.
    pub fn close(&mut self, server: usize) {
        match &mut self.state {
            State::Haproxy(state) => state.close(server),
            State::Nginx(state) => state.close(server),
        }
    }

    /// Whether [`Picker::open`] is right about connection limits.
    pub fn can_hold(&self) -> Result<(), Unpredictable> {
        match &self.state {
            State::Haproxy(state) => state.can_hold(),
            State::Nginx(_) => Ok(()),
        }
    }

    /// Takes a server out of balancing, or back in.
    pub fn set_down(&mut self, server: usize, down: bool) -> Result<(), Unpredictable> {
        match &mut self.state {
            State::Haproxy(state) => state.set_down(server, down),
            State::Nginx(state) => {
                state.set_down(server, down);
                Ok(())
            }
        }
    }

    /// Loses a server: the checks of HAProxy or an operator take it out of balancing, and nginx finds
    /// out by trying that nothing answers.
    pub fn lose(&mut self, server: usize) -> Result<(), Unpredictable> {
        match &mut self.state {
            State::Haproxy(state) => state.set_down(server, true),
            State::Nginx(state) => {
                state.set_unreachable(server, true);
                Ok(())
            }
        }
    }

    /// Gets a server back that was lost, or that the configuration leaves out.
    pub fn regain(&mut self, server: usize) -> Result<(), Unpredictable> {
        if let State::Nginx(state) = &mut self.state {
            state.set_unreachable(server, false);
        }
        self.set_down(server, false)
    }

    /// How nginx goes on after a failed try: as the route says that leads to the backend.
    pub fn set_next_upstream(&mut self, next: &NextUpstream) {
        if let State::Nginx(state) = &mut self.state {
            let mut conditions = next.conditions.value.iter();
            let retries = conditions.any(|word| word.as_str() == "error");
            state.set_most_tries(match next.tries.value {
                _ if !retries => 1,
                0 => usize::MAX,
                most => most as usize,
            });
        }
    }

    /// Lets time pass. HAProxy has no clock in its picks; nginx gives a server that failed another
    /// chance behind `fail_timeout`, counted in whole seconds.
    pub fn wait(&mut self, time: Duration) {
        if let State::Nginx(state) = &mut self.state {
            state.wait(time);
        }
    }

    /// Changes a weight as HAProxy's `set weight` does.
    pub fn set_weight(&mut self, server: usize, change: WeightChange) -> Result<(), Unpredictable> {
        match &mut self.state {
            State::Haproxy(state) => state.set_weight(server, change),
            State::Nginx(_) => Err(Unpredictable::Refused(
                "nginx cannot change a weight while running",
            )),
        }
    }

    /// The servers that the last request tried, in order; more than one only in nginx.
    pub fn tried(&self) -> &[usize] {
        match &self.state {
            State::Haproxy(state) => state.tried(),
            State::Nginx(state) => state.tried(),
        }
    }
}

/// What makes single picks unpredictable, if anything.
fn surprise(
    pool: &Pool<'_>,
    version: Version,
    backend: &Backend,
) -> Option<(&'static str, &'static str)> {
    let random = "draws servers at random: only its shares are known";
    match pool.method {
        Method::RandomWeight | Method::RandomTwo | Method::RandomRing { .. } => {
            Some(("`random`", random))
        }
        Method::LeastConn if backend.algorithm.value == Algorithm::LeastTime => Some((
            "`least_time`",
            "depends on response times: only its shares are known",
        )),
        // From 3.2 servers with equal keys wait in lists that are chosen at random.
        Method::LeastConn if pool.engine == Engine::Haproxy && version >= Version::new(3, 2, 0) => {
            Some((
                "`leastconn`",
                "breaks ties at random since 3.2: only its shares are known",
            ))
        }
        Method::LeastConn
        | Method::RoundRobin
        | Method::StaticMap
        | Method::First
        | Method::Sticky
        | Method::Hash(_) => None,
    }
}
