//! What predictions cost: shares of many backends, a large ring, picks.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on fails, and its macros document nothing"
)]

#[path = "pipeline/generate.rs"]
mod generate;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lbaudit::engine::{self, Input, Options};
use lbaudit::model::{
    Address, AddressKind, Algorithm, Backend, Engine, HashFunction, HashKey, HashMethod, HashType,
    Instance, Layer, Port, Server, Setting, Text, Version,
};
use lbaudit::predict::{Key, Picker, failures, predict};
use lbaudit::source::{Sources, Span};

fn server(span: Span, position: u32, weight: u32) -> Server {
    let name = Text::from(format!("10.0.{}.{}:8080", position / 256, position % 256));
    let address = Address::new(name.clone(), AddressKind::Ipv4, &name, Port::Fixed(8080));
    let mut server = Server::new(name, address, span, span, Arc::default());
    server.weight = Setting::explicit(weight, span);
    server.set_id(Setting::engine_default(position));
    server
}

fn backend(algorithm: Algorithm, servers: u32, weight: impl Fn(u32) -> u32) -> Backend {
    let (source, _) = Sources::default().add("bench", Vec::new(), None);
    let span = Span::new(source, 0, 0);
    let mut backend = Backend::new("bench".into(), Layer::Http, span);
    backend.algorithm = Setting::explicit(algorithm, span);
    backend.servers = (1..=servers)
        .map(|position| server(span, position, weight(position)))
        .collect();
    backend
}

fn hashed(method: HashMethod, servers: u32, weight: impl Fn(u32) -> u32) -> Backend {
    let key = HashKey::Uri {
        len: None,
        depth: None,
        whole: false,
        path_only: false,
    };
    let mut backend = backend(Algorithm::Hash(key), servers, weight);
    backend.hash_type.value = HashType {
        method,
        function: HashFunction::Sdbm,
        avalanche: true,
        function_named: false,
    };
    backend
}

/// 2,000 backends of 20 servers: one in nine a ring, one in nine a map, weights up to 100.
fn many() -> Vec<Backend> {
    let mixed =
        |number: u32| move |position: u32| [1, 5, 10, 50, 100][((number + position) % 5) as usize];
    let one = |number: u32| match number % 9 {
        0 => hashed(HashMethod::Ring, 20, mixed(number)),
        1 => hashed(HashMethod::Map, 20, mixed(number)),
        2 => backend(Algorithm::LeastConn, 20, mixed(number)),
        _ => backend(Algorithm::RoundRobin, 20, mixed(number)),
    };
    (0..2000).map(one).collect()
}

fn shares(c: &mut Criterion) {
    let (haproxy, version) = (Engine::Haproxy, Version::HAPROXY_DEFAULT);
    let mut group = c.benchmark_group("shares");
    group.sample_size(10);
    let backends = many();
    group.bench_function("2000 backends of 20 servers", |b| {
        b.iter(|| {
            for backend in &backends {
                black_box(predict(haproxy, version, backend, &[]));
            }
        });
    });
    let large = hashed(HashMethod::Ring, 1000, |_| 256);
    group.bench_function("a ring of 4 million nodes", |b| {
        b.iter(|| black_box(predict(haproxy, version, &large, &[])));
    });
    let failing = hashed(HashMethod::Ring, 20, |_| 100);
    group.bench_function("each failure of a ring of 20 servers", |b| {
        b.iter(|| black_box(failures(haproxy, version, &failing, &[])));
    });
    let ketama = hashed(HashMethod::Ketama, 20, |_| 1);
    group.bench_function("a ketama ring of 20 servers", |b| {
        b.iter(|| black_box(predict(Engine::Nginx, Version::NGINX_DEFAULT, &ketama, &[])));
    });
    group.finish();
}

/// The generated files of 2,000 backends: shares should cost less than five times the parse.
fn shares_and_parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("files of 2000 backends of 20 servers");
    group.sample_size(10);
    for (name, generate) in generate::ENGINES {
        let text = generate(40_000);
        let instance = load(name, &text);
        group.bench_function(format!("{name}: parse"), |b| {
            b.iter(|| black_box(load(name, &text)));
        });
        group.bench_function(format!("{name}: shares"), |b| {
            b.iter(|| {
                for backend in &instance.backends {
                    let (engine, version) = (instance.engine, instance.version);
                    black_box(predict(engine, version, backend, &[]));
                }
            });
        });
    }
    group.finish();
}

fn load(name: &str, text: &str) -> Instance {
    let engine = if name == "nginx" {
        Engine::Nginx
    } else {
        Engine::Haproxy
    };
    let input = Input {
        name: name.to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let loaded = engine::load(
        engine,
        &Sources::default(),
        vec![input],
        &Options::default(),
    );
    let mut variants = loaded.expect("it loads").variants;
    variants.remove(0)
}

fn picks(c: &mut Criterion) {
    const PICKS: u64 = 100_000;
    let mut group = c.benchmark_group("picks");
    group.throughput(Throughput::Elements(PICKS));
    group.sample_size(20);
    let haproxy = (Engine::Haproxy, Version::HAPROXY_DEFAULT);
    let nginx = (Engine::Nginx, Version::NGINX_DEFAULT);
    let robin = backend(Algorithm::RoundRobin, 20, |position| position);
    let few = backend(Algorithm::RoundRobin, 3, |position| position);
    for (name, (engine, version), backend) in [
        ("haproxy roundrobin, 20 servers", haproxy, &robin),
        ("haproxy roundrobin, 3 servers", haproxy, &few),
        ("nginx round robin, 20 servers", nginx, &robin),
        ("nginx round robin, 3 servers", nginx, &few),
    ] {
        let mut picker = Picker::new(engine, version, backend).expect("predictable");
        group.bench_function(name, |b| {
            b.iter(|| {
                (0..PICKS).for_each(|_| {
                    black_box(picker.pick(Key::Missing));
                });
            });
        });
    }
    let keys: Vec<String> = (0..PICKS).map(|number| format!("/user/{number}")).collect();
    for (name, (engine, version), method) in [
        (
            "haproxy ring of 100 servers at weight 100",
            haproxy,
            HashMethod::Ring,
        ),
        ("haproxy map of 100 servers", haproxy, HashMethod::Map),
        ("nginx hash over 100 servers", nginx, HashMethod::Modulo),
        (
            "nginx ketama ring of 100 servers",
            nginx,
            HashMethod::Ketama,
        ),
    ] {
        let weight = if method == HashMethod::Ketama { 1 } else { 100 };
        let backend = hashed(method, 100, |_| weight);
        let mut picker = Picker::new(engine, version, &backend).expect("predictable");
        group.bench_function(name, |b| {
            b.iter(|| {
                for key in &keys {
                    black_box(picker.pick(Key::Bytes(key.as_bytes())));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, shares, shares_and_parse, picks);
criterion_main!(benches);
