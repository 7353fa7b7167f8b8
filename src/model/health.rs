//! Active and passive health checks.

use std::time::Duration;

use super::{Setting, Text};

/// What an active check of a HAProxy backend sends and expects (manual 4.2 `option httpchk` and its
/// siblings). Whether a server is checked at all is [`super::Server::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckProtocol {
    /// Only a TCP connect (and the TLS handshake where the server speaks TLS).
    Connect,
    /// `option httpchk` with its `http-check` rules.
    Http {
        /// Method, where written.
        method: Option<Text>,
        /// Path, where written.
        uri: Option<Text>,
        /// Whether an `http-check expect` stands in effect; without one any 2xx or 3xx passes.
        expects: bool,
    },
    /// `option tcp-check`; only with `tcp-check expect` rules does it look at an answer.
    Tcp {
        /// Whether any `tcp-check expect` rule stands in effect.
        expects: bool,
    },
    /// A protocol's own greeting: `mysql-check`, `pgsql-check`, `redis-check`, `ldap-check`,
    /// `smtpchk`, `spop-check`, `ssl-hello-chk`.
    Protocol(Text),
    /// `option external-check`.
    External,
}

impl CheckProtocol {
    /// Whether a server that accepts connections but answers nonsense passes.
    pub fn is_connect_only(&self) -> bool {
        match self {
            Self::Connect | Self::Tcp { expects: false } => true,
            Self::Http { .. }
            | Self::Tcp { expects: true }
            | Self::Protocol(_)
            | Self::External => false,
        }
    }
}

/// When an active check runs and how many results change the state (HAProxy manual 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckTiming {
    /// `inter`, 2 s by default.
    pub inter: Setting<Duration>,
    /// `fastinter`, used while the state is changing; `inter` when unset.
    pub fastinter: Setting<Option<Duration>>,
    /// `downinter`, used while the server is down; `inter` when unset.
    pub downinter: Setting<Option<Duration>>,
    /// `rise`, successes until up: 2 by default.
    pub rise: Setting<u32>,
    /// `fall`, failures until down: 3 by default.
    pub fall: Setting<u32>,
}

impl Default for CheckTiming {
    fn default() -> Self {
        Self {
            inter: Setting::engine_default(Duration::from_secs(2)),
            fastinter: Setting::engine_default(None),
            downinter: Setting::engine_default(None),
            rise: Setting::engine_default(2),
            fall: Setting::engine_default(3),
        }
    }
}

/// How failures of live traffic take a server out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassiveCheck {
    /// nginx `max_fails`, 1 by default; 0 turns accounting off.
    pub max_fails: Setting<u32>,
    /// nginx `fail_timeout`, 10 s by default.
    pub fail_timeout: Setting<Duration>,
}

impl PassiveCheck {
    /// nginx's default.
    pub const DEFAULT: Self = Self {
        max_fails: Setting::engine_default(1),
        fail_timeout: Setting::engine_default(Duration::from_secs(10)),
    };
}

impl Default for PassiveCheck {
    fn default() -> Self {
        Self::DEFAULT
    }
}
