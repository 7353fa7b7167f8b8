//! Which names announce a secret, and which values are none.

use super::patterns::may_hold_secret;

/// Parts of names that announce a secret, written with hyphens.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "secret",
    "token",
    "authorization",
    "api-key",
    "apikey",
    "credential",
    "private-key",
    "access-key",
    "auth-key",
    "authkey",
    "hmac-key",
    "signing-key",
    "encryption-key",
    "shared-key",
    "cookie-key",
    "master-key",
    "session-id",
    "sessionid",
    "jsessionid",
    "phpsessid",
];

/// Whole names that do; `http_auth_bearer` is a sample of HAProxy.
const WHOLE: &[&str] = &["auth-bearer", "x-auth"];

/// Names that announce a secret only as a parameter, `key=…`.
const PARAMETERS: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "passw",
    "psk",
    "otp",
    "pin",
    "jwt",
    "bearer",
    "key",
    "sig",
    "signature",
    "auth",
    "hash",
    "md5",
    "hmac",
    "session",
    "sid",
    "sas",
    "code",
    "access",
    "x-amz-signature",
    "x-amz-credential",
];

/// Ends of names whose value is a place or a switch, not a secret.
const HARMLESS_ENDS: &[&str] = &[
    "-file",
    "-path",
    "-dir",
    "-url",
    "-uri",
    "-name",
    "-names",
    "-header",
    "-headers",
    "-type",
    "tokens",
    "-endpoint",
    "-timeout",
    "-zone",
    "-cache",
    "-length",
    "-len",
    "-size",
    "-expires",
    "-ttl",
    "-count",
    "-time",
    "-verify",
    "-field",
    "-check",
    "-backend",
    "-location",
    "-method",
    "-methods",
    "-request",
    "-found",
    "-valid",
    "-ok",
];

/// Directives of nginx and its modules that pass requests on.
const PASSING: &[&str] = &[
    "proxy-pass",
    "grpc-pass",
    "fastcgi-pass",
    "uwsgi-pass",
    "scgi-pass",
    "memcached-pass",
    "redis-pass",
    "redis2-pass",
    "postgres-pass",
    "drizzle-pass",
    "tunnel-pass",
    "zone-pass",
];

/// Bytes that mean nothing in a name.
const TAKEN_OUT: &[u8] = b"\"'\\{}";

/// `name` in the one form that names are compared in.
fn normal(name: &[u8]) -> String {
    let name: String = name
        .iter()
        .filter(|byte| !TAKEN_OUT.contains(byte))
        .map(|&byte| match byte {
            b'_' | b'.' => '-',
            other => char::from(other.to_ascii_lowercase()),
        })
        .collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let inner = ["http-", "arg-", "cookie-", "txn-", "sess-", "req-", "proc-"];
    let inner = inner.iter().find_map(|prefix| name.strip_prefix(prefix));
    inner.unwrap_or(name).to_owned()
}

/// Whether the word or the two behind `name` are a secret.
pub(super) fn is_sensitive(name: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.$\"'\\{}()[]`,!<>".contains(byte);
    if !may_tell(name) || name.len() > 128 || !name.iter().all(inside) {
        return false;
    }
    let name = normal(name);
    let tells = WHOLE.contains(&name.as_str())
        || TELLING.iter().any(|part| name.contains(part))
        || (name.ends_with("-pass") && !PASSING.contains(&name.as_str()))
        || name.ends_with("-pwd");
    tells && !HARMLESS_ENDS.iter().any(|end| name.ends_with(end))
}

/// A cheap test that most names fail: whether a part of one of the lists above can be in it.
fn may_tell(name: &[u8]) -> bool {
    // What `normal` takes out could stand inside such a part.
    name.iter().any(|byte| TAKEN_OUT.contains(byte)) || may_hold_secret(name)
}

/// The same for the name in `name=value`, where a few more count.
pub(super) fn is_sensitive_parameter(name: &[u8]) -> bool {
    name.len() <= 128 && (is_sensitive(name) || PARAMETERS.contains(&normal(name).as_str()))
}

/// The same for a header, a cookie or a query parameter that is set or compared.
pub(super) fn is_sensitive_header(name: &[u8]) -> bool {
    may_tell(name)
        && (is_sensitive(name)
            || matches!(
                normal(name).as_str(),
                "cookie" | "cookie2" | "set-cookie" | "set-cookie2" | "x-key" | "x-signature"
            ))
}

/// Whether a value tells nothing: a switch, a scheme without its credentials, an empty word.
pub(super) fn is_trivial(value: &[u8]) -> bool {
    let bare: Vec<u8> = value
        .iter()
        .filter(|byte| !matches!(byte, b'"' | b'\'' | b'\\' | b'`' | b',' | b')' | b'('))
        .map(u8::to_ascii_lowercase)
        .collect();
    matches!(
        bare.as_slice(),
        b"" | b"on"
            | b"off"
            | b"true"
            | b"false"
            | b"yes"
            | b"no"
            | b"none"
            | b"null"
            | b"nil"
            | b"found"
            | b"any"
            | b"0"
            | b"1"
            | b"-"
            | b"*"
            | b"***"
            | b"required"
            | b"optional"
            | b"default"
            | b"bearer"
            | b"basic"
            | b"digest"
            | b"token"
            | b"="
            | b"!="
            | b"~"
            | b"~*"
            | b"!~"
            | b"!~*"
            | b"=="
            | b":"
            | b"is"
            | b"http_auth_bearer"
    )
}
