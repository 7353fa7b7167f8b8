//! Words that HAProxy knows, and the slips that can be made in writing them.
//!
//! The lists hold the words of 2.6 (`haproxy -dKall`), those that older versions had and those that came up to
//! 3.3: a word on a list is never a slip.

use super::words;
use crate::spelling;

/// What kind of word stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first word of a line in a `defaults`, `frontend`, `backend` or `listen` section.
    Line,
    /// An option of a `server` or `default-server` line.
    Server,
    /// The word behind `option`.
    Option,
    /// The word behind `timeout`.
    Timeout,
    /// The word behind `mode`.
    Mode,
    /// The word behind `balance`, without its argument.
    Balance,
    /// The word behind `hash-type`.
    HashType,
}

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Some version knows it.
    Known,
    /// It is almost this one.
    Slip(&'static str),
    /// It is like none: perhaps of a version to come.
    Strange,
}

/// Looks `word` up among the keywords of its place.
pub(crate) fn look_up(kind: Kind, word: &str) -> Word {
    let lists: &[&[&'static str]] = match kind {
        Kind::Line => &[LINES, words::SECTIONS],
        Kind::Server => &[FLAGS, words::WITH_VALUE],
        Kind::Option => &[OPTIONS],
        Kind::Timeout => &[TIMEOUTS],
        Kind::Mode => &[MODES],
        Kind::Balance => &[ALGORITHMS],
        Kind::HashType => &[&["map-based", "consistent"]],
    };
    let known = || lists.iter().flat_map(|list| list.iter().copied());
    if known().any(|known| known == word) {
        return Word::Known;
    }
    spelling::meant(word, known()).map_or(Word::Strange, Word::Slip)
}

/// Manual 4.1, and keywords that were removed.
const LINES: &[&str] = &[
    "acl",
    "appsession",
    "backlog",
    "balance",
    "bind",
    "bind-process",
    "block",
    "capture",
    "cliexp",
    "clitcpka-cnt",
    "clitcpka-idle",
    "clitcpka-intvl",
    "clitimeout",
    "compression",
    "contimeout",
    "cookie",
    "declare",
    "default",
    "default-server",
    "default_backend",
    "description",
    "disabled",
    "dispatch",
    "dynamic-cookie-key",
    "email-alert",
    "enabled",
    "error-log-format",
    "errorfile",
    "errorfiles",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "external-check",
    "filter",
    "force-be-switch",
    "force-persist",
    "fullconn",
    "grace",
    "guid",
    "hash-balance-factor",
    "hash-preserve-affinity",
    "hash-type",
    "http-after-response",
    "http-check",
    "http-error",
    "http-request",
    "http-response",
    "http-reuse",
    "http-send-name-header",
    "id",
    "ignore-persist",
    "load-server-state-from-file",
    "log",
    "log-format",
    "log-format-sd",
    "log-steps",
    "log-tag",
    "max-keep-alive-queue",
    "max-session-srv-conns",
    "maxconn",
    "mode",
    "monitor",
    "monitor-net",
    "monitor-uri",
    "no",
    "option",
    "persist",
    "quic-initial",
    "rate-limit",
    "redirect",
    "redisp",
    "redispatch",
    "reqadd",
    "reqallow",
    "reqdel",
    "reqdeny",
    "reqiallow",
    "reqidel",
    "reqideny",
    "reqipass",
    "reqirep",
    "reqitarpit",
    "reqpass",
    "reqrep",
    "reqtarpit",
    "retries",
    "retry-on",
    "rspadd",
    "rspdel",
    "rspdeny",
    "rspidel",
    "rspideny",
    "rspirep",
    "rsprep",
    "server",
    "server-state-file-name",
    "server-template",
    "source",
    "srvexp",
    "srvtcpka-cnt",
    "srvtcpka-idle",
    "srvtcpka-intvl",
    "srvtimeout",
    "stats",
    "stick",
    "stick-table",
    "tcp-check",
    "tcp-request",
    "tcp-response",
    "timeout",
    "transparent",
    "unique-id-format",
    "unique-id-header",
    "use-fcgi-app",
    "use-server",
    "use_backend",
];

/// Server options without a value (manual 5.2).
const FLAGS: &[&str] = &[
    "agent-check",
    "allow-0rtt",
    "backup",
    "check",
    "check-reuse-pool",
    "check-send-proxy",
    "check-sni-auto",
    "check-ssl",
    "check-via-socks4",
    "disabled",
    "enabled",
    "force-sslv3",
    "force-tlsv10",
    "force-tlsv11",
    "force-tlsv12",
    "force-tlsv13",
    "no-agent-check",
    "no-backup",
    "no-check",
    "no-check-reuse-pool",
    "no-check-send-proxy",
    "no-check-sni-auto",
    "no-check-ssl",
    "no-ktls",
    "no-renegotiate",
    "no-send-proxy",
    "no-send-proxy-v2",
    "no-send-proxy-v2-ssl",
    "no-send-proxy-v2-ssl-cn",
    "no-sni-auto",
    "no-ssl",
    "no-ssl-reuse",
    "no-sslv3",
    "no-strict-maxconn",
    "no-tfo",
    "no-tls-tickets",
    "no-tlsv10",
    "no-tlsv11",
    "no-tlsv12",
    "no-tlsv13",
    "no-verifyhost",
    "non-stick",
    "renegotiate",
    "send-proxy",
    "send-proxy-v2",
    "send-proxy-v2-ssl",
    "send-proxy-v2-ssl-cn",
    "sni-auto",
    "ssl",
    "ssl-reuse",
    "stick",
    "strict-maxconn",
    "tfo",
    "tls-tickets",
];

/// Manual 4.2, `option`.
const OPTIONS: &[&str] = &[
    "abortonclose",
    "accept-invalid-http-request",
    "accept-invalid-http-response",
    "accept-unsafe-violations-in-http-request",
    "accept-unsafe-violations-in-http-response",
    "allbackups",
    "assume-rfc6587-ntf",
    "checkcache",
    "clitcpka",
    "contstats",
    "disable-h2-upgrade",
    "dont-parse-log",
    "dontlog-normal",
    "dontlognull",
    "external-check",
    "forceclose",
    "forwarded",
    "forwardfor",
    "h1-case-adjust-bogus-client",
    "h1-case-adjust-bogus-server",
    "host",
    "http-buffer-request",
    "http-drop-request-trailers",
    "http-drop-response-trailers",
    "http-ignore-probes",
    "http-keep-alive",
    "http-no-delay",
    "http-pretend-keepalive",
    "http-restrict-req-hdr-names",
    "http-server-close",
    "http-tunnel",
    "http-use-htx",
    "http-use-proxy-header",
    "http_proxy",
    "httpchk",
    "httpclose",
    "httplog",
    "httpslog",
    "idle-close-on-response",
    "independant-streams",
    "independent-streams",
    "ldap-check",
    "log-forward",
    "log-health-checks",
    "log-separate-errors",
    "logasap",
    "mysql-check",
    "nolinger",
    "originalto",
    "persist",
    "pgsql-check",
    "prefer-last-server",
    "redis-check",
    "redispatch",
    "smtpchk",
    "socket-stats",
    "splice-auto",
    "splice-request",
    "splice-response",
    "spop-check",
    "srvtcpka",
    "ssl-hello-chk",
    "tcp-check",
    "tcp-smart-accept",
    "tcp-smart-connect",
    "tcpka",
    "tcplog",
    "transparent",
    "use-small-buffers",
];

/// Manual 4.2, `timeout`.
const TIMEOUTS: &[&str] = &[
    "check",
    "client",
    "client-fin",
    "client-hs",
    "clitimeout",
    "connect",
    "contimeout",
    "http-keep-alive",
    "http-request",
    "queue",
    "server",
    "server-fin",
    "srvtimeout",
    "tarpit",
    "tunnel",
];

/// Manual 4.2, `mode`.
const MODES: &[&str] = &[
    "cli", "haterm", "health", "http", "log", "peers", "spop", "syslog", "tcp",
];

/// Manual 4.2, `balance`.
const ALGORITHMS: &[&str] = &[
    "first",
    "hash",
    "hdr",
    "leastconn",
    "log-hash",
    "log-sticky",
    "random",
    "rdp-cookie",
    "roundrobin",
    "source",
    "static-rr",
    "sticky",
    "uri",
    "url_param",
];

#[cfg(test)]
mod tests {
    use super::{Kind, Word, look_up};

    #[test]
    fn slips_are_found_among_the_words_of_their_place() {
        for (kind, word, meant) in [
            (Kind::Server, "weigth", "weight"),
            (Kind::Option, "redispach", "redispatch"),
            (Kind::Timeout, "conect", "connect"),
            (Kind::Line, "backed", "backend"),
            (Kind::Mode, "htp", "http"),
            (Kind::Balance, "roundrobbin", "roundrobin"),
            (Kind::HashType, "consistant", "consistent"),
        ] {
            assert_eq!(look_up(kind, word), Word::Slip(meant), "{word}");
        }
    }

    #[test]
    fn other_words_are_no_slips() {
        assert_eq!(look_up(Kind::Server, "no-check"), Word::Known);
        assert_eq!(look_up(Kind::Option, "httpslog"), Word::Known);
        assert_eq!(look_up(Kind::Line, "errorloc302"), Word::Known);
        assert_eq!(look_up(Kind::Server, "quantum-tunnel"), Word::Strange);
    }
}
