//! Names that the parser has to know.

use std::sync::LazyLock;

use foldhash::HashSet;

/// Words that start a section (manual 2.1 and 3; newer ones included).
pub(super) const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "ring",
    "resolvers",
    "userlist",
    "program",
    "cache",
    "mailers",
    "fcgi-app",
    "http-errors",
    "log-forward",
    "log-profile",
    "crt-store",
    "acme",
    "traces",
    "healthcheck",
    "namespace_list",
];

/// One bit for each letter that a section starts with. Every line asks, and `server` starts with none of
/// them.
const FIRST_LETTERS: u32 = {
    let mut letters = 0;
    let mut rest = SECTIONS;
    while let [name, behind @ ..] = rest {
        if let [first, ..] = name.as_bytes() {
            letters |= letter(*first);
        }
        rest = behind;
    }
    letters
};

const fn letter(byte: u8) -> u32 {
    1 << (byte & 31)
}

/// Whether `word` starts a section.
pub(crate) fn is_section(word: &str) -> bool {
    let first = word.as_bytes().first();
    first.is_some_and(|&first| FIRST_LETTERS & letter(first) != 0) && SECTIONS.contains(&word)
}

/// Whether the name of a section, server or ACL may hold this character (`invalid_char` of `src/tools.c`).
pub(crate) fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}

/// Whether lines that start with `word` are made of server options.
pub(crate) fn is_server_line(word: &str) -> bool {
    matches!(word, "server" | "server-template" | "default-server")
}

/// Server options that are followed by a value (manual 5.2; newer ones included). Unknown words are
/// taken for flags, so that nothing behind them is lost.
pub(super) const WITH_VALUE: &[&str] = &[
    "addr",
    "agent-addr",
    "agent-inter",
    "agent-port",
    "agent-send",
    "alpn",
    "ca-file",
    "cc",
    "check-alpn",
    "check-pool-conn-name",
    "check-proto",
    "check-sni",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "cookie",
    "crl-file",
    "crt",
    "curves",
    "downinter",
    "ech",
    "error-limit",
    "fall",
    "fastinter",
    "guid",
    "hash-key",
    "healthcheck",
    "id",
    "idle-ping",
    "init-addr",
    "init-state",
    "inter",
    "ktls",
    "log-bufsize",
    "log-proto",
    "max-reuse",
    "maxconn",
    "maxqueue",
    "minconn",
    "namespace",
    "npn",
    "observe",
    "on-error",
    "on-marked-down",
    "on-marked-up",
    "pool-conn-name",
    "pool-low-conn",
    "pool-max-conn",
    "pool-purge-delay",
    "port",
    "proto",
    "proxy-v2-options",
    "redir",
    "resolve-net",
    "resolve-opts",
    "resolve-prefer",
    "resolvers",
    "rise",
    "shard",
    "sigalgs",
    "slowstart",
    "sni",
    "socks4",
    "source",
    "ssl-max-ver",
    "ssl-min-ver",
    "tcp-md5sig",
    "tcp-ut",
    "track",
    "verify",
    "verifyhost",
    "weight",
    "ws",
];

/// Whether the server option `word` is followed by a value.
pub(crate) fn takes_value(word: &str) -> bool {
    static TABLE: LazyLock<HashSet<&str>> = LazyLock::new(|| WITH_VALUE.iter().copied().collect());
    TABLE.contains(word) || word.starts_with("set-proxy-v2-tlv-fmt")
}

#[cfg(test)]
mod tests {
    #[test]
    fn options_are_in_order() {
        assert!(super::WITH_VALUE.is_sorted());
        assert!(super::takes_value("weight"));
        assert!(!super::takes_value("check"));
    }
}
