//! Files made to break a parser: each is read in linear time, without a panic, within bounds.

#![allow(
    clippy::unwrap_used,
    reason = "a test, with helpers outside of its functions"
)]

use lbaudit::engine::{Input, Loaded, Options, haproxy};
use lbaudit::source::Sources;

fn load(bytes: Vec<u8>) -> Loaded {
    let input = Input {
        name: "hostile.cfg".into(),
        path: None,
        bytes,
    };
    haproxy::load(&Sources::default(), vec![input], &Options::default()).unwrap()
}

#[test]
fn hostile_files_are_read_without_harm() {
    let deep = ".if defined(A)\n".repeat(50_000) + "backend b\n" + &".endif\n".repeat(50_000);
    let many_chains = ".if defined(A)\nbackend b\n.endif\n".repeat(20_000);
    let elifs = format!(
        ".if 0\n{}.endif\n",
        ".elif defined(A)\nbackend b\n".repeat(50_000)
    );
    let track = |n: u32| format!(" server s{n} 1.1.1.1:80 track s{}\n", n + 1);
    let tracks: Vec<String> = (0..20_000).map(track).collect();
    let tracks = "backend b\n".to_owned() + &tracks.concat();
    let cases = [
        "x".repeat(5_000_000),
        "backend b\n server a ".to_owned() + &"w ".repeat(2_000_000),
        "backend b\n server a ".to_owned() + &"\"".repeat(1_000_001),
        "backend b\n server a ".to_owned() + &"\\".repeat(1_000_001),
        "\"${A".repeat(500_000),
        "\n".repeat(5_000_000),
        "#\n".repeat(1_000_000),
        "backend b\n server-template x 4294967295 1.1.1.1:80\n".repeat(50),
        "backend b\n server-template x 1-4294967295 1.1.1.1:80\n".to_owned(),
        format!(
            ".if {}1{}\n.endif\n",
            "(".repeat(500_000),
            ")".repeat(500_000)
        ),
        format!(".if {}0\n.endif\n", "1 && ".repeat(500_000)),
        "defaults d from d\n".repeat(20_000),
        "backend b\n acl a path /\n".to_owned() + &" use_backend b if a\n".repeat(100_000),
        "global\n setenv A xxxxxxxx\n".to_owned() + &" setenv A \"$A$A\"\n".repeat(5_000),
        "backend b\n".to_owned() + &" acl a hdr(host) x\n use_backend b if a\n".repeat(3_000),
        tracks,
        deep,
        many_chains,
        elifs,
    ];
    for text in cases {
        let loaded = load(text.into_bytes());
        let servers: usize = (loaded.variants.iter())
            .flat_map(|instance| &instance.backends)
            .map(|backend| backend.servers.len())
            .sum();
        assert!(!loaded.variants.is_empty() && servers <= 100_000);
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    assert!(!load(bytes).variants.is_empty());
}
