//! The little that must be known of directives to recover from a missing `;` or `}`.
//!
//! In: names. Out: whether a directive needs a block, where a block can stand, where a line begins a
//! new directive. What is not known is taken as it stands.

use super::lex::Range;

/// Blocks that only the top of the main file can hold.
const TOP: &[&[u8]] = &[b"http", b"stream", b"mail", b"events"];
/// Blocks whose content is known well enough to say what cannot stand in them.
const CLOSED: &[&[u8]] = &[
    b"upstream",
    b"events",
    b"map",
    b"geo",
    b"split_clients",
    b"types",
    b"location",
    b"if",
    b"limit_except",
    b"server",
];

/// Whether `bytes` begin with the repetition of a regular expression: `{2}`, `{2,}`, `{2,3}`.
pub(crate) fn is_repetition(bytes: &[u8]) -> bool {
    let Some(inner) = bytes.strip_prefix(b"{") else {
        return false;
    };
    let is_count = |byte: &&u8| byte.is_ascii_digit() || **byte == b',';
    let length = inner.iter().take(16).take_while(is_count).count();
    let starts = inner.first().is_some_and(u8::is_ascii_digit);
    starts && inner.get(length) == Some(&b'}')
}

/// Whether nginx refuses the directive without a block.
pub(crate) fn needs_block(name: &[u8]) -> bool {
    let inner = matches!(
        name,
        b"upstream" | b"location" | b"if" | b"limit_except" | b"map" | b"split_clients" | b"geo"
    );
    inner || TOP.contains(&name)
}

/// Whether `child` can stand in `parent`. Only asked for blocks of both kinds.
fn fits(child: &[u8], parent: &[u8]) -> bool {
    match child {
        b"http" | b"stream" | b"mail" | b"events" => false,
        b"server" | b"upstream" | b"map" | b"geo" | b"split_clients" => {
            matches!(parent, b"http" | b"stream" | b"mail")
        }
        b"location" => matches!(parent, b"server" | b"location"),
        _ => true,
    }
}

/// How many of the open blocks `parents` (outermost first) stay open when `child` opens.
///
/// The innermost ones are closed when `child` cannot stand in them and can in one around them, or at
/// the top of the file.
pub(crate) fn parents_to_keep<'n>(
    child: &[u8],
    parents: impl DoubleEndedIterator<Item = &'n [u8]> + ExactSizeIterator,
) -> usize {
    let all = parents.len();
    let mut keep = all;
    for parent in parents.rev() {
        if fits(child, parent) {
            return keep;
        }
        if !CLOSED.contains(&parent) && !TOP.contains(&parent) {
            return all;
        }
        keep -= 1;
    }
    if child == b"location" { all } else { 0 }
}

/// The most arguments of directives that often stand in load balancer files, where a new line with
/// the name of another directive shows that the `;` before it is missing.
fn most_arguments(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"ip_hash" | b"least_conn" => 0,
        b"root"
        | b"proxy_pass"
        | b"grpc_pass"
        | b"fastcgi_pass"
        | b"uwsgi_pass"
        | b"scgi_pass"
        | b"memcached_pass"
        | b"proxy_http_version"
        | b"proxy_connect_timeout"
        | b"proxy_read_timeout"
        | b"proxy_send_timeout"
        | b"proxy_next_upstream_tries"
        | b"proxy_next_upstream_timeout"
        | b"proxy_buffering"
        | b"client_max_body_size"
        | b"worker_processes"
        | b"worker_connections"
        | b"pid"
        | b"sendfile"
        | b"tcp_nopush"
        | b"tcp_nodelay"
        | b"default_type"
        | b"include"
        | b"real_ip_header"
        | b"set_real_ip_from"
        | b"ssl_certificate"
        | b"ssl_certificate_key"
        | b"alias"
        | b"load_module"
        | b"proxy_timeout"
        | b"ssl_prefer_server_ciphers"
        | b"server_tokens"
        | b"gzip"
        | b"keepalive"
        // The parameters of these are words that no directive is named like.
        | b"listen"
        | b"server" => 1,
        b"proxy_set_header" | b"keepalive_timeout" | b"zone" | b"hash" | b"random" | b"set"
        | b"proxy_redirect" | b"error_log" | b"return" => 2,
        b"fastcgi_param" => 3,
        _ => return None,
    })
}

/// The index of the word in `words` before which a `;` is missing.
///
/// nginx would refuse the directive as it stands: it has too many arguments, or a block that it cannot
/// have. The word is the first of its line and the name of a directive.
pub(crate) fn missing_semicolon(bytes: &[u8], words: &[Range], has_block: bool) -> Option<usize> {
    let (name, _) = words.split_first()?;
    let name_text = name.of(bytes);
    let too_many = most_arguments(name_text).is_some_and(|most| words.len() > most + 1);
    let refused = too_many || (has_block && is_simple(name_text));
    if !refused {
        return None;
    }
    let mut previous = name.end;
    for (index, word) in words.iter().enumerate().skip(1) {
        let gap = Range {
            start: previous,
            end: word.start,
        };
        previous = word.end;
        let text = word.of(bytes);
        if memchr::memchr(b'\n', gap.of(bytes)).is_some() && is_directive(text) {
            return Some(index);
        }
    }
    None
}

/// Whether the content of the block is entries and no directives.
pub(crate) fn holds_entries(name: &[u8]) -> bool {
    matches!(
        name,
        b"map" | b"geo" | b"split_clients" | b"types" | b"charset_map"
    )
}

/// Whether `name` is a directive that no module has as a block.
pub(crate) fn is_simple(name: &[u8]) -> bool {
    let has_namesake = matches!(
        name,
        b"server" | b"zone" | b"hash" | b"random" | b"set" | b"keepalive" | b"return"
    );
    (most_arguments(name).is_some() && !has_namesake)
        || matches!(
            name,
            b"server_name" | b"access_log" | b"proxy_next_upstream" | b"add_header" | b"error_page"
        )
}

/// Whether `name` is known as a directive: one with a known number of arguments, or a block.
fn is_directive(name: &[u8]) -> bool {
    most_arguments(name).is_some()
        || CLOSED.contains(&name)
        || TOP.contains(&name)
        || matches!(
            name,
            b"server_name"
                | b"access_log"
                | b"proxy_next_upstream"
                | b"add_header"
                | b"rewrite"
                | b"try_files"
                | b"index"
                | b"error_page"
                | b"log_format"
                | b"resolver"
                | b"ssl_protocols"
                | b"ssl_ciphers"
                | b"expires"
                | b"deny"
                | b"allow"
        )
}
