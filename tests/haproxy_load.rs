//! What the HAProxy loader reports and what it makes of single directives.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, with helpers outside of its functions"
)]

use lbaudit::engine::{Environment, Input, Loaded, Options, haproxy};
use lbaudit::model::{
    Algorithm, Condition, HashKey, Instance, Origin, PathMatch, RandomDraw, Target, Version,
};
use lbaudit::source::Sources;

fn load_with(files: &[&str], options: &Options) -> (Sources, Loaded) {
    let sources = Sources::default();
    let inputs = files.iter().enumerate().map(|(number, text)| Input {
        name: format!("{number}.cfg"),
        path: None,
        bytes: text.as_bytes().to_vec(),
    });
    let loaded = haproxy::load(&sources, inputs.collect(), options).unwrap();
    (sources, loaded)
}

fn load(text: &str) -> (Sources, Loaded) {
    load_with(&[text], &Options::default())
}

fn instance(text: &str) -> Instance {
    let (sources, mut loaded) = load(text);
    assert_eq!(report(&sources, &loaded), Vec::<String>::new(), "{text}");
    loaded.variants.remove(0)
}

/// `severity rule line:column marked text | message` of every finding.
fn report(sources: &Sources, loaded: &Loaded) -> Vec<String> {
    let line = |finding: &lbaudit::finding::Finding| {
        let (_, at) = sources.locate(finding.span);
        format!(
            "{} {} {}:{} {} | {}",
            finding.severity.as_str(),
            finding.rule,
            at.line,
            at.column,
            sources.text(finding.span),
            finding.message
        )
    };
    loaded.findings.iter().map(line).collect()
}

/// Texts and the start of the finding each of them gives, one or none.
fn check(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        let (sources, loaded) = load(text);
        let found = report(&sources, &loaded);
        match found.as_slice() {
            [] => assert_eq!(*wanted, "", "{text}"),
            [one] => assert!(
                one.starts_with(wanted) && !wanted.is_empty(),
                "{text}\n{one}"
            ),
            _ => assert_eq!(found, [*wanted], "{text}"),
        }
    }
}

/// Lines that no version can read, and where the fault is marked.
const SYNTAX: &[(&str, &str)] = &[
    (
        "backend b\n server a \"1.1.1.1:80\n",
        "error syntax-error 2:11 \"1.1.1.1:80 |",
    ),
    (
        "backend b\n server a\\x 1.1.1.1:80\n",
        "error syntax-error 2:10 \\ |",
    ),
    (
        "backend b\n server \"${A\" 1.1.1.1:80\n",
        "error syntax-error 2:11 {A\" 1.1.1.1:80 |",
    ),
    (
        "mode http\nmaxconn 5\nbackend b\n",
        "error syntax-error 1:1 mode |",
    ),
    (
        "backend b\n server a\n",
        "error syntax-error 2:2 server a |",
    ),
    (
        "backend b\n server-template a 3\n",
        "error syntax-error 2:2 server-template a 3 |",
    ),
    (
        "backend\n server a 1.1.1.1:80\n",
        "error syntax-error 1:1 backend |",
    ),
    (
        "backend b x\n server a 1.1.1.1:80\n",
        "error syntax-error 1:11 x |",
    ),
    (
        "backend b\n timeout server 5x\n",
        "error syntax-error 2:17 5x |",
    ),
    (
        "backend b\n timeout server\n",
        "error syntax-error 2:2 timeout server |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 inter x\n",
        "error syntax-error 2:28 x |",
    ),
    (".if 1\nbackend b\n", "error syntax-error 1:1 .if 1 |"),
    (".else\nbackend b\n", "error syntax-error 1:1 .else |"),
    (".endif\nbackend b\n", "error syntax-error 1:1 .endif |"),
    (
        ".if 1\n.else\n.else\n.endif\nbackend b\n",
        "error syntax-error 3:1 .else |",
    ),
    (
        ".if foo\n.endif\nbackend b\n",
        "error syntax-error 1:5 foo |",
    ),
    // Skipped conditions are not looked at, skipped lines are still cut into words.
    (".if 0\n.if foo\n.endif\n.endif\nbackend b\n", ""),
    (
        ".if 0\n \"x\n.endif\nbackend b\n",
        "error syntax-error 2:2 \"x |",
    ),
    // Newer and unknown words are nothing to complain about.
    (
        "backend b\n server a 1.1.1.1:80 set-proxy-v2-tlv-fmt(0x20) \"\" newer-option(x) 5\n novelty x\n",
        "",
    ),
    (".if newer_predicate(x) && 1\nbackend b\n.endif\n", ""),
];

#[test]
fn faults_of_syntax_are_marked_where_they_stand() {
    check(SYNTAX);
}

/// Lines that HAProxy reads and refuses, each tried with 2.6.12.
const REFUSED: &[(&str, &str)] = &[
    (
        "frontend f\n bind :80\n mode http\n default_backend b\nbackend b\n mode tcp\n",
        "error refused-at-load 4:2 default_backend b |",
    ),
    (
        "frontend f\n bind :80\n mode tcp\n default_backend b\nbackend b\n mode http\n",
        "",
    ),
    (
        "backend b\n use-server x if TRUE\n use-server %[path] if TRUE\n",
        "error refused-at-load 2:2 use-server x if TRUE |",
    ),
    (
        "listen b\n bind :80\n default-server resolvers x\n server a h:80\n server c h:81\n",
        "error refused-at-load 3:17 resolvers x |",
    ),
    ("backend b\n server a h:80 resolvers x\n", ""),
    (
        "backend b\n server a 1.1.1.1:80",
        "error refused-at-load 2:1  server a 1.1.1.1:80 |",
    ),
    (
        "\u{feff}backend b\n",
        "error refused-at-load 1:1 \u{feff} |",
    ),
    ("backend b\0\n", "error refused-at-load 1:10 \0 |"),
    ("backend a/b\n", "error refused-at-load 1:9 a/b |"),
    (
        "backend b\n server a 1.1.1.1:80 weight 257\n",
        "error refused-at-load 2:29 257 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 weight -1\n",
        "error refused-at-load 2:29 -1 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server a 1.1.1.2:80\n",
        "error refused-at-load 3:2 server a 1.1.1.2:80 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 id 3\n server c 1.1.1.2:80 id 3\n",
        "error refused-at-load 3:22 id 3 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server c 1.1.1.2:80 id 1\n",
        "",
    ),
    (
        "backend b\n id 4\nbackend c\n id 4\n",
        "error refused-at-load 4:2 id 4 |",
    ),
    ("backend b from x\n", "error refused-at-load 1:16 x |"),
    (
        "defaults x\ndefaults x\nbackend b from x\n",
        "error refused-at-load 3:16 x |",
    ),
    (
        "frontend f\n bind :80\n server a 1.1.1.1:80\n",
        "error refused-at-load 3:2 server a 1.1.1.1:80 |",
    ),
    (
        "listen l 0.0.0.0:80\n mode tcp\n",
        "error refused-at-load 1:10 0.0.0.0:80 |",
    ),
    // Without lines 2.6 passes over it.
    ("listen l 0.0.0.0:80\nbackend b\n mode tcp\n", ""),
    (
        "backend b\n reqrep a b\n",
        "error refused-at-load 2:2 reqrep | `reqrep` was removed: HAProxy 2.1 and newer",
    ),
    (
        "backend b\n option http-tunnel\n",
        "error refused-at-load 2:2 option http-tunnel |",
    ),
    ("global\n nbproc 2\n", "error refused-at-load 2:2 nbproc |"),
    (
        "backend b\n server a 1.1.1.1 check\n",
        "error refused-at-load 2:2 server a 1.1.1.1 |",
    ),
    (
        "backend b\n server a 1.1.1.1:+5 check\n",
        "error refused-at-load 2:2 server a 1.1.1.1:+5 |",
    ),
    (
        "backend b\n server a 1.1.1.1 check port 80\n server c 1.1.1.1 check addr 1.1.1.2:8\n server d /s check\n",
        "",
    ),
    (
        "backend b\n option tcp-check\n tcp-check connect port 80\n server a 1.1.1.1 check\n",
        "",
    ),
    (
        "backend b\n server a 1.1.1.1:80 agent-check\n",
        "error refused-at-load 2:2 server a 1.1.1.1:80 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server c 1.1.1.1:81 track a\n",
        "error refused-at-load 3:22 track a |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 check\n server c 1.1.1.1:81 track a\n",
        "",
    ),
    (
        "backend b\n server a 1.1.1.1:80 check\n server c 1.1.1.1:81 check track a\n",
        "error refused-at-load 3:28 track a |",
    ),
    (
        ".alert \"stop\"\nbackend b\n",
        "error refused-at-load 1:1 .alert \"stop\" |",
    ),
    (".if 0\n.alert \"stop\"\n.endif\nbackend b\n", ""),
];

#[test]
fn what_haproxy_refuses_at_load_is_reported() {
    let server = " server a 1.1.1.1:80\n";
    let twice = format!("backend b\n{server}backend b\n{server}");
    let listen = format!("listen b\n bind :80\n{server}backend b\n{server}");
    let sides = format!("frontend b\n bind :80\nbackend b\n{server}");
    check(&[
        (
            &twice,
            "error refused-at-load 3:1 backend b | backend `b` has the same name",
        ),
        (&listen, "error refused-at-load 4:1 backend b |"),
        (&sides, ""),
    ]);
    check(REFUSED);
    let many = format!("backend b\n server a 1.1.1.1:80{}\n", " check".repeat(62));
    check(&[(
        &many,
        "error refused-at-load 2:388 check | the line has more than 64 words",
    )]);
}

fn environment(pairs: &[(&str, &str)]) -> Options {
    let values = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Options {
        environment: Environment {
            values: values.collect(),
            given: true,
        },
        ..Options::default()
    }
}

#[test]
fn variables_that_may_be_empty_are_warned_about() {
    let unset = "warning unset-variable";
    let cut = format!(
        "{unset} 2:22 \"${{X}}\" | `X` stands alone as a word: when it is empty, HAProxy 2.6 silently drops `weight 100` behind it"
    );
    let zero = format!("{unset} 2:29 \"$X\" | `X` is the whole value of `weight`");
    let deny = format!(
        "{unset} 2:20 \"$X\" | `X` stands alone as a word: when it is empty, HAProxy 2.6 silently drops the 2 words"
    );
    check(&[
        (
            "backend b\n server a 1.1.1.1:80 \"${X}\" weight 100\n",
            &cut,
        ),
        (
            "backend b\n server a 1.1.1.1:80 weight \"$X\" check\n",
            &zero,
        ),
        ("backend b\n server a 1.1.1.1:80 weight \"$X\"\n", &zero),
        ("backend b\n http-request deny \"$X\" if TRUE\n", &deny),
        // Nothing is lost behind the last word, with a default, or where HAProxy refuses.
        ("backend b\n server a 1.1.1.1:80 check \"${X}\"\n", ""),
        (
            "backend b\n server a 1.1.1.1:80 \"${X-check}\" weight 100\n",
            "",
        ),
        ("backend b\n server a \"${X}\" check\n", ""),
        ("backend b\n server a \"${X}:80\" check\n", ""),
        ("backend b\n server a 1.1.1.1:80 cookie \"$X\" check\n", ""),
        (
            "frontend f\n bind \"$X\" ssl\n log \"$X\" local0\n use_backend \"$X\" if TRUE\n",
            "",
        ),
        (
            "global\n setenv X check\nbackend b\n server a 1.1.1.1:80 \"$X\" weight 9\n",
            "",
        ),
        (
            "backend b\n server a 1.1.1.1:80 \"$HAPROXY_LOCALPEER\" weight 9\n",
            "",
        ),
    ]);
}

#[test]
fn variables_that_are_missing_change_the_model() {
    let text = "backend b\n server a 1.1.1.1:80 \"$X\" weight 100\n server c \"$Y:80\" check\n server d 1.1.1.1:81 weight \"$X\"\n";
    let (sources, loaded) = load_with(&[text], &environment(&[("X", "")]));
    let found = report(&sources, &loaded);
    assert!(found[0].starts_with(
        "error unset-variable 2:22 \"$X\" | `X` is empty: HAProxy 2.6 silently drops `weight 100`"
    ));
    assert!(found[1].starts_with(
        "error unset-variable 3:11 \"$Y:80\" | `Y` is not set: the word becomes `:80`"
    ));
    assert!(found[2].starts_with(
        "error unset-variable 4:29 \"$X\" | `X` is empty: HAProxy 2.6 silently reads `weight` as 0"
    ));
    assert_eq!(found.len(), 3);
    let servers = &loaded.variants[0].backends[0].servers;
    let weights: Vec<u32> = servers.iter().map(|server| server.weight.value).collect();
    assert_eq!(weights, [1, 1, 0]);
    let whole = environment(&[("X", "check"), ("Y", "h")]);
    let (_, loaded) = load_with(&[text], &whole);
    assert!(loaded.findings.is_empty());
    assert_eq!(loaded.variants[0].backends[0].servers[0].weight.value, 100);
}

#[test]
fn unknown_values_are_opaque() {
    let (_, loaded) = load(
        "backend b\n server a \"$HOST:80\" weight \"$W\" check\n server c 1.1.1.1:80 \"$X\" weight 5 check\n server d 1.1.1.1:80 check \"$X\"\n",
    );
    let servers = &loaded.variants[0].backends[0].servers;
    assert!(servers[0].weight.is_opaque() && !servers[0].check.is_opaque());
    assert_eq!(servers[0].address.kind, lbaudit::model::AddressKind::Opaque);
    assert!(servers[1].weight.is_opaque() && servers[1].check.is_opaque());
    assert!(servers[1].backup.is_opaque() && servers[1].disabled.is_opaque());
    // What stands before the variable is certain.
    assert!(!servers[2].check.is_opaque() && servers[2].weight.is_opaque());
}

#[test]
fn undecidable_branches_make_variants() {
    let text = "backend b\n.if defined(X)\n server a 1.1.1.1:80\n.elif defined(Y)\n server c 1.1.1.1:80 weight 300\n.endif\n.if !defined(X)\n server d 1.1.1.1:80\n.endif\n server z 1.1.1.1:80\n";
    let (sources, loaded) = load(text);
    let names: Vec<String> = (loaded.variants.iter())
        .map(|instance| {
            let servers = &instance.backends[0].servers;
            let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
            format!("{} {}", instance.variant, names.join(" "))
        })
        .collect();
    assert_eq!(names, ["0 a d z", "1 c z", "2 z"]);
    assert_eq!(report(&sources, &loaded).len(), 1);
    // A block that changes nothing of the model makes no variants.
    let (_, loaded) = load("global\n.if feature(THREAD)\n thread-groups 1\n.endif\nbackend b\n");
    assert_eq!(loaded.variants.len(), 1);
    let (_, loaded) = load_with(&[text], &environment(&[("Y", "")]));
    assert_eq!(loaded.variants.len(), 1);
    assert_eq!(loaded.variants[0].backends[0].servers.len(), 3);
}

#[test]
fn conditions_of_routes_are_decided_where_they_can_be() {
    let text = "frontend f\n bind :80\n acl api path_beg /api\n acl host1 hdr(Host) -i A.example\n acl host1 req.hdr(host) b.example\n acl canary rand(100) lt 10\n acl two path /a /b\n use_backend b if api\n use_backend b if host1\n use_backend b if canary\n use_backend b if { rand(100) ge 90 }\n use_backend b if { path -m reg ^/x }\n use_backend b if !api\n use_backend b if api canary\n use_backend b if two\n use_backend b_%[path] if TRUE\n use_backend nope if { path_beg -i /X }\n default_backend b\nbackend b\n server a 1.1.1.1:80\n";
    let instance = instance(text);
    let opaque = |text: &str| Condition::Opaque(text.into());
    let draw = |from, below| {
        Condition::Random(RandomDraw {
            range: 100,
            from,
            below,
        })
    };
    let found: Vec<Condition> = (instance.routes.iter())
        .map(|route| route.condition.clone())
        .collect();
    let wanted = [
        Condition::Path(PathMatch::Prefix("/api".into())),
        Condition::Host(vec!["a.example".into(), "b.example".into()]),
        draw(0, 10),
        draw(90, 100),
        Condition::Path(PathMatch::Regex("^/x".into())),
        opaque("if !api"),
        opaque("if api canary"),
        opaque("if two"),
        Condition::Always,
        opaque("if { path_beg -i /X }"),
        Condition::Always,
    ];
    assert_eq!(found, wanted);
    assert_eq!(
        instance.routes[8].target,
        Target::Dynamic("b_%[path]".into())
    );
    assert_eq!(instance.routes[9].target, Target::Undefined("nope".into()));
    assert_eq!(instance.routes[10].target, Target::Backend(0));
}

#[test]
fn a_listen_section_is_both_sides() {
    let it = instance(
        "listen l\n bind :80,:81\n use_backend b if { path /x }\n server a 1.1.1.1:80\nlisten only-front\n bind :82\n default_backend b\nbackend b\n server a 1.1.1.1:80\n",
    );
    let backends: Vec<&str> = it.backends.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(backends, ["l", "b"]);
    let routes: Vec<_> = (it.routes.iter())
        .map(|route| (route.listener, route.target.clone()))
        .collect();
    let wanted = [
        (Some(0), Target::Backend(1)),
        (Some(0), Target::Backend(0)),
        (Some(1), Target::Backend(1)),
    ];
    assert_eq!(routes, wanted);
    assert_eq!(it.listeners[0].binds.len(), 2);
    assert!(!it.fragment);
    assert!(instance("backend b\n server a 1.1.1.1:80\n").fragment);
}

#[test]
fn origins_say_where_a_value_is_written() {
    let text = "defaults\n default-server rise 7\n balance first\nbackend b\n default-server weight 5\n server a 1.1.1.1:80 check\n";
    let (sources, loaded) = load(text);
    let backend = &loaded.variants[0].backends[0];
    let server = &backend.servers[0];
    let origin = |origin: Origin| {
        (
            origin.as_str(),
            origin.span().map(|span| sources.text(span)),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        origin(server.weight.origin),
        ("default-server", some("weight 5"))
    );
    assert_eq!(origin(server.check.origin), ("explicit", some("check")));
    assert_eq!(
        origin(server.options.timing.rise.origin),
        ("defaults", some("rise 7"))
    );
    assert_eq!(
        origin(server.options.timing.fall.origin),
        ("engine-default", None)
    );
    assert_eq!(
        origin(backend.algorithm.origin),
        ("defaults", some("balance first"))
    );
}

#[test]
fn comments_belong_to_what_stands_below_or_beside_them() {
    let text = "# file\n\n# top\nbackend b # head\n # above\n # more\n server a 1.1.1.1:80\n server c 1.1.1.1:81 # beside\n\n # far\n\n server d 1.1.1.1:82\n# next\nbackend e\n";
    let (sources, loaded) = load(text);
    let backends = &loaded.variants[0].backends;
    let texts = |spans: &[lbaudit::source::Span]| -> Vec<String> {
        spans.iter().map(|&span| sources.text(span)).collect()
    };
    let own = ["# top", "# head", "# above", "# more", "# beside", "# far"];
    assert_eq!(texts(&backends[0].comments), own);
    assert_eq!(texts(&backends[1].comments), ["# next"]);
    let comments: Vec<Option<String>> = (backends[0].servers.iter())
        .map(|server| server.comment().map(|span| sources.text(span)))
        .collect();
    let wanted = [
        Some("# above\n # more".to_owned()),
        Some("# beside".to_owned()),
        None,
    ];
    assert_eq!(comments, wanted);
    assert_eq!(
        sources.text(backends[0].servers[0].head()),
        "server a 1.1.1.1:80"
    );
    assert!(
        sources
            .text(backends[0].body)
            .starts_with("backend b # head")
    );
    assert!(sources.text(backends[0].body).ends_with("1.1.1.1:82"));
}

#[test]
fn files_of_one_instance_are_read_in_order() {
    let first = "defaults\n mode http\n balance leastconn\n";
    let second = "backend b\n balance uri\n server a 1.1.1.1:80\nbackend c\n";
    let (_, loaded) = load_with(&[first, second], &Options::default());
    let backends = &loaded.variants[0].backends;
    assert!(matches!(
        backends[0].algorithm.value,
        Algorithm::Hash(HashKey::Uri { .. })
    ));
    assert_eq!(backends[1].algorithm.value, Algorithm::LeastConn);
    let (_, loaded) = load_with(&["backend b\n", "mode http\n"], &Options::default());
    assert_eq!(loaded.findings[0].rule, "syntax-error");
}

#[test]
fn the_default_algorithm_depends_on_the_version() {
    let text = "backend b\n server a 1.1.1.1:80\n";
    let version = |minor| Options {
        haproxy_version: Version::new(3, minor, 0),
        ..Options::default()
    };
    let algorithm = |options: &Options| {
        let (_, loaded) = load_with(&[text], options);
        loaded.variants[0].backends[0].algorithm.clone()
    };
    assert_eq!(algorithm(&version(2)).value, Algorithm::RoundRobin);
    assert_eq!(algorithm(&version(3)).value, Algorithm::Random { draws: 2 });
    assert!(!algorithm(&version(3)).is_written());
}

#[test]
fn evidence_of_a_proxy_in_front_is_collected() {
    let text = "frontend f\n bind :80 accept-proxy\n option forwardfor\n log-format %[req.hdr(X-Forwarded-For)]\n http-request set-header X-Forwarded-For %[src]\n http-request set-src req.hdr_ip(X-FORWARDED-FOR,-1)\n acl x hdr_ip(x-forwarded-for) 10.0.0.0/8\n";
    let it = instance(text);
    assert_eq!(it.forwarded_for_reads.len(), 2);
    assert!(it.listeners[0].restores_client_address.is_some());
    assert!(it.listeners[0].binds[0].proxy_protocol);
}

#[test]
fn rules_that_answer_everything_are_seen() {
    for (line, answers) in [
        ("http-request return status 200", true),
        ("http-request deny if TRUE", true),
        ("http-request deny if { src 10.0.0.1 }", false),
        ("http-request redirect scheme https", true),
        ("redirect location /x unless FALSE", true),
        ("http-request set-header X y", false),
        ("stats enable", false),
        ("option transparent", true),
        ("stats auth a:b", false),
        ("errorfile 503 /x", true),
        ("tcp-request content reject", true),
    ] {
        let it = instance(&format!("backend b\n {line}\n"));
        assert_eq!(it.backends[0].answers_itself.is_some(), answers, "{line}");
    }
}

#[test]
fn content_tells_haproxy_from_other_files() {
    let yes = [
        "backend b\n server a 1.1.1.1:80\n",
        "global\n daemon\n\ndefaults\n mode http\n",
        "# x\n\n\nlisten web\n\tbind :80\n",
        "\u{feff}frontend f\r\n  bind :80\r\n",
    ];
    let no = [
        "",
        "[defaults]\ninventory = hosts\n",
        "[metadata]\nname = x\n",
        "menuentry 'x' {\n  set root=1\n}\n",
        "upstream b {\n  server 10.0.0.1;\n}\nserver {\n listen 80;\n}\n",
        "global x\nlocal y\n",
        "backend = foo\nserver = bar\n",
        "cache\nnode_modules\n",
    ];
    for text in yes {
        assert!(haproxy::looks_like(text.as_bytes()) > 0, "{text}");
    }
    for text in no {
        assert_eq!(haproxy::looks_like(text.as_bytes()), 0, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_file_can_be_read(lines in proptest::collection::vec(
        "(global|defaults|backend b|listen l|frontend f|server|balance|acl a|use_backend|default-server|\\.if|\\.elif|\\.else|\\.endif|timeout|cookie|hash-type|option|http-check|bind|no)?( [a-z0-9$\"'{}()%:,.!&|#\\\\-]{0,12}){0,6}",
        0..30,
    )) {
        let (sources, loaded) = load(&(lines.join("\n") + "\n"));
        for finding in &loaded.findings {
            sources.locate(finding.span);
            assert!(finding.span.start <= finding.span.end);
        }
    }
}
