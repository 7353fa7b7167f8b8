//! Where clients connect.

use super::{Address, Layer, Setting, Text};
use crate::source::Span;

/// A HAProxy `frontend` or `listen`, or an nginx `server` block.
#[derive(Clone, Debug)]
pub struct Listener {
    /// HAProxy: the section's name. nginx: the first `server_name`, else the first `listen`.
    pub name: Text,
    /// Protocol layer.
    pub layer: Layer,
    /// The header of the section or block.
    pub span: Span,
    /// The whole section or block.
    pub body: Span,
    /// Sockets.
    pub binds: Vec<Bind>,
    /// HAProxy frontend `maxconn`; `None` is unset.
    pub maxconn: Setting<Option<u32>>,
    /// nginx `server_name` values, as written.
    pub server_names: Vec<Text>,
    /// Where the client address is restored from a header or the PROXY protocol: nginx
    /// `set_real_ip_from` with `real_ip_header`, HAProxy `set-src`.
    pub restores_client_address: Option<Span>,
    /// HAProxy: an unconditional `http-request return`, `deny` or `redirect`, which answers before
    /// any route is looked at.
    pub answers_itself: Option<Span>,
    /// HAProxy: the same rules with a condition.
    pub answers_partly: Vec<Span>,
    /// Comments above the header and inside, in order.
    pub comments: Vec<Span>,
}

/// One socket: HAProxy `bind`, nginx `listen`.
#[derive(Clone, Debug)]
pub struct Bind {
    /// Address and port.
    pub address: Address,
    /// The address in its line.
    pub span: Span,
    /// TLS ends here.
    pub tls: bool,
    /// HAProxy `accept-proxy`, nginx `proxy_protocol`.
    pub proxy_protocol: bool,
    /// nginx `default_server`.
    pub default_server: bool,
}
