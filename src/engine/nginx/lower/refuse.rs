//! Findings for what nginx refuses at load, in words. Each was seen with `nginx -t` of 1.22.1.
//!
//! In: the place and the names. Out: `refused-at-load` findings.

use crate::engine::nginx::fault::refused;
use crate::engine::nginx::value::AddressFault;
use crate::finding::Finding;
use crate::model::{Backend, Text};
use crate::source::Span;

/// `server … weight=0`.
pub(super) fn zero_weight(span: Span, server: &Text) -> Finding {
    refused(
        span,
        format!("server `{server}` has `weight=0`: every nginx version refuses to start"),
        "write `down` to take the server out of balancing, or a weight of 1 or more",
    )
}

/// A value of a server's parameter that nginx cannot read.
pub(super) fn parameter(span: Span, server: &Text, value: &str) -> Finding {
    let shown = if value.is_empty() {
        "an empty value".to_owned()
    } else {
        format!("the value `{value}`")
    };
    refused(
        span,
        format!(
            "server `{server}` has {shown} here: every nginx version refuses it as an invalid parameter"
        ),
        "write a plain number; times in seconds or larger units",
    )
}

/// A parameter that is almost one that servers have.
pub(super) fn unknown_parameter(span: Span, server: &Text, text: &str, meant: &str) -> Finding {
    refused(
        span,
        format!(
            "server `{server}` has the parameter `{text}` (did you mean `{meant}`): every nginx version refuses it as invalid"
        ),
        format!("write `{meant}`"),
    )
}

/// A word that is no parameter in any version.
pub(super) fn no_parameter(span: Span, server: &Text, text: &str) -> Finding {
    refused(
        span,
        format!(
            "server `{server}` has `{text}` behind its address, which is no parameter: every nginx version refuses it as invalid"
        ),
        "write one address per `server`, and its parameters as `NAME=VALUE`",
    )
}

/// A `listen` on a port that is none.
pub(super) fn listen_port(span: Span, text: &str) -> Finding {
    refused(
        span,
        format!("`listen {text}` has no valid port: every nginx version refuses to start"),
        "write a port from 1 to 65535",
    )
}

/// `slow_start` without a commercial subscription.
pub(super) fn slow_start(span: Span, server: &Text) -> Finding {
    refused(
        span,
        format!(
            "server `{server}` has `slow_start`, which only commercial nginx knows: every open source version refuses to start"
        ),
        "remove `slow_start`, or say `--nginx-plus` when this is for NGINX Plus",
    )
}

/// `backup` below a method that has no backups.
pub(super) fn backup(span: Span, server: &Text) -> Finding {
    refused(
        span,
        format!(
            "server `{server}` is `backup` below a balancing method without backups: every nginx version refuses `backup` after `hash`, `ip_hash` or `random`"
        ),
        "remove `backup`, or use round robin or `least_conn`",
    )
}

/// A server address that is none.
pub(super) fn address(span: Span, server: &Text, fault: AddressFault) -> Finding {
    let (what, help) = match fault {
        AddressFault::NoHost => ("has no host", "write HOST:PORT; IPv6 in brackets"),
        AddressFault::Port => (
            "has an invalid port",
            "write a port from 1 to 65535, and no scheme before the host",
        ),
        AddressFault::Number => (
            "is no IPv4 address, and no host has such a name",
            "write four numbers from 0 to 255",
        ),
        AddressFault::Host => ("is not a host", "write HOST:PORT without scheme and path"),
    };
    refused(
        span,
        format!("server address `{server}` {what}: every nginx version refuses to start"),
        help,
    )
}

/// An address without port where there is no default.
pub(super) fn no_port(span: Span, server: &str) -> Finding {
    refused(
        span,
        format!(
            "address `{server}` has no port and there is no default here: every nginx version refuses to start"
        ),
        format!("write the port: `{server}:PORT`"),
    )
}

/// `proxy_pass` to something that is no URL.
pub(super) fn no_scheme(span: Span, text: &str) -> Finding {
    refused(
        span,
        format!(
            "`proxy_pass` to `{text}`, which begins with neither `http://` nor `https://`: every nginx version refuses to start"
        ),
        format!("write `http://{text}`"),
    )
}

/// A block that can stand once only.
pub(super) fn duplicate_block(span: Span, name: &str) -> Finding {
    refused(
        span,
        format!("a second `{name}` block: every nginx version refuses to start"),
        "move its content into the first one",
    )
}

/// An upstream without any server.
pub(super) fn no_servers(backend: &Backend) -> Finding {
    refused(
        backend.span,
        format!(
            "upstream `{}` has no servers: every nginx version refuses to start",
            backend.name
        ),
        "add a `server`, or remove the upstream",
    )
    .backend(&backend.name)
}

/// An upstream with backups only.
pub(super) fn only_backups(backend: &Backend) -> Finding {
    let count = backend.servers.len();
    let what = if count == 1 {
        "its only server is a backup".to_owned()
    } else {
        format!("all {count} servers are backups")
    };
    refused(
        backend.span,
        format!(
            "upstream `{}` has no primary: {what}, every nginx version refuses to start",
            backend.name
        ),
        "remove `backup` from at least one server",
    )
    .backend(&backend.name)
}

/// A second upstream of one name.
pub(super) fn duplicate_upstream(span: Span, name: &Text, first: Span) -> Finding {
    refused(
        span,
        format!("upstream `{name}` is defined twice: every nginx version refuses to start"),
        "rename or remove one of the two",
    )
    .backend(name)
    .related("first defined here", first)
}

/// An upstream named together with a port.
pub(super) fn upstream_port(span: Span, name: &Text, port: u16, upstream: Span) -> Finding {
    refused(
        span,
        format!("upstream `{name}` is named with port {port}: every nginx version refuses to start, the ports are those of its servers"),
        format!("remove `:{port}`"),
    )
    .backend(name)
    .related("the upstream", upstream)
}

/// A `split_clients` of more than the whole.
pub(super) fn split_over_whole(span: Span, variable: &Text, hundredths: u64) -> Finding {
    refused(
        span,
        format!(
            "the percentages of `{variable}` add up to {}.{:02} %: every nginx version refuses more than 100 %",
            hundredths / 100,
            hundredths % 100
        ),
        "lower the percentages to 100 % in all, or give the rest with `*`",
    )
}

/// A percentage that nginx cannot read.
pub(super) fn percentage(span: Span, text: &str) -> Finding {
    refused(
        span,
        format!(
            "`{text}` is not a percentage from 0.01% to 100% with at most two decimals: every nginx version refuses to start"
        ),
        "write it as `12.5%`, or `*` for the rest",
    )
}

/// Two default servers for one socket.
pub(super) fn duplicate_default_server(span: Span, address: &str, first: Span) -> Finding {
    refused(
        span,
        format!("`{address}` has a second `default_server`: every nginx version refuses to start"),
        "leave `default_server` on one of the two",
    )
    .related("the first one", first)
}

/// One address twice where it can be listened on once.
pub(super) fn duplicate_listen(span: Span, address: &str, first: Span) -> Finding {
    refused(
        span,
        format!("`listen {address}` stands twice: every nginx version refuses to start"),
        "remove one of the two",
    )
    .related("the first one", first)
}
