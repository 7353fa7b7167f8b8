//! Backends for tests of the prediction, built without any parser.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;

use lbaudit::model::{
    Address, AddressKind, Algorithm, Backend, HashFunction, HashKey, HashMethod, HashType, Layer,
    Port, Server, Setting, Text,
};
use lbaudit::predict::{Prediction, Share};
use lbaudit::source::{Sources, Span};

/// A span somewhere: predictions never look at it.
fn span() -> Span {
    static SPAN: std::sync::OnceLock<Span> = std::sync::OnceLock::new();
    *SPAN.get_or_init(|| {
        let (source, _) = Sources::default().add("test", Vec::new(), None);
        Span::new(source, 0, 0)
    })
}

/// A server named by its position, with the id of its position.
pub(crate) fn server(position: u32, weight: u32) -> Server {
    let name = Text::from(format!("10.0.0.{position}:8080"));
    let address = Address::new(
        name.clone(),
        AddressKind::Ipv4,
        &format!("10.0.0.{position}"),
        Port::Fixed(8080),
    );
    let mut server = Server::new(name, address, span(), span(), Arc::default());
    server.weight = Setting::explicit(weight, span());
    server.set_id(Setting::engine_default(position));
    server
}

/// A backend of servers with these weights.
pub(crate) fn backend(algorithm: Algorithm, weights: &[u32]) -> Backend {
    let mut backend = Backend::new("auth".into(), Layer::Http, span());
    backend.algorithm = Setting::explicit(algorithm, span());
    backend.servers = (1..)
        .zip(weights)
        .map(|(position, weight)| server(position, *weight))
        .collect();
    backend
}

/// A backend that hashes the URI in this way.
pub(crate) fn hashed(method: HashMethod, weights: &[u32]) -> Backend {
    let key = HashKey::Uri {
        len: None,
        depth: None,
        whole: false,
        path_only: false,
    };
    let mut backend = backend(Algorithm::Hash(key), weights);
    backend.hash_type = Setting::explicit(hash_type(method, HashFunction::Sdbm), span());
    backend
}

/// A hash type without avalanche.
pub(crate) fn hash_type(method: HashMethod, function: HashFunction) -> HashType {
    HashType {
        method,
        function,
        avalanche: false,
        function_named: true,
    }
}

/// Makes the servers at these indices backups.
pub(crate) fn backups(mut backend: Backend, indices: &[usize]) -> Backend {
    for index in indices {
        backend.servers[*index].backup = Setting::explicit(true, span());
    }
    backend
}

/// Shares in percent with one decimal.
pub(crate) fn percent(prediction: &Prediction) -> Vec<String> {
    let shares = prediction.shares.iter();
    shares
        .map(|share| format!("{:.1}", 100.0 * lbaudit::predict::ratio(*share)))
        .collect()
}

/// The sum of all shares.
pub(crate) fn total(prediction: &Prediction) -> Share {
    prediction.shares.iter().sum()
}
