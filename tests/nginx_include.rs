//! Includes and dumps: which files are read, in which order, and what nginx would refuse.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions that clippy takes for tests"
)]

mod nginx_support;

use std::fs;

use lbaudit::engine::{Input, Options, nginx};
use lbaudit::error::Error;
use lbaudit::source::Sources;
use nginx_support::{Load, load_file, load_file_with, load_text};

/// A folder with these files; a name that ends with `/` is a folder.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    folder
}

fn load(files: &[(&str, &str)]) -> Load {
    let folder = folder(files);
    load_file(&folder.path().join("nginx.conf"))
}

fn files(load: &Load) -> Vec<String> {
    let name = |id: &_| load.sources.get(*id).name().to_owned();
    load.instance().files.iter().map(name).collect()
}

fn servers(load: &Load) -> Vec<&str> {
    let backends = load.instance().backends.iter();
    let servers = backends.flat_map(|backend| &backend.servers);
    servers.map(|server| server.name.as_str()).collect()
}

#[test]
fn paths_start_at_the_folder_of_the_main_file() {
    let load = load(&[
        ("nginx.conf", "http { include sub/*.conf; }"),
        (
            "sub/a.conf",
            "upstream a { include sub/servers; include ./own; }",
        ),
        ("sub/servers", "server x;"),
        ("sub/own", "server wrong;"),
        ("own", "server y;"),
    ]);
    assert_eq!(servers(&load), ["x", "y"]);
    assert_eq!(
        files(&load),
        ["nginx.conf", "sub/a.conf", "sub/servers", "./own"]
    );
    assert_eq!(load.findings("refused-at-load"), [""; 0]);
    let third = load.sources.get(load.instance().files[2]);
    assert_eq!(load.at(third.included_from().unwrap()), "sub/a.conf:1:14");
}

#[test]
fn a_prefix_takes_the_place_of_that_folder() {
    let folder = folder(&[
        ("conf/nginx.conf", "upstream a { include servers; }"),
        ("etc/servers", "server x;"),
    ]);
    let options = Options {
        prefix: Some(folder.path().join("etc")),
        ..Options::default()
    };
    let load = load_file_with(&folder.path().join("conf/nginx.conf"), &options);
    assert_eq!(servers(&load), ["x"]);
}

/// A fragment names files as its main file would, which is somewhere above it.
#[test]
fn a_fragment_finds_what_lies_beside_its_folder() {
    let folder = folder(&[
        (
            "etc/sites/auth.conf",
            "upstream a { include lists/auth; include own; include gone; }",
        ),
        ("etc/lists/auth", "server x;"),
        ("etc/sites/own", "server y;"),
        ("etc/own", "server wrong;"),
    ]);
    let path = folder.path().join("etc/sites/auth.conf");
    let input = Input {
        name: "etc/sites/auth.conf".to_owned(),
        bytes: fs::read(&path).unwrap(),
        path: Some(path),
    };
    let load = nginx_support::load_input(input, &Options::default());
    assert_eq!(servers(&load), ["x", "y"]);
    assert_eq!(
        files(&load),
        ["etc/sites/auth.conf", "etc/lists/auth", "etc/sites/own"]
    );
    let missing = load.findings("refused-at-load");
    assert!(
        missing[0].contains("`include` of `etc/sites/gone`"),
        "{missing:?}"
    );
}

#[test]
fn patterns_are_sorted_by_bytes_and_leave_hidden_files_out() {
    let load = load(&[
        (
            "nginx.conf",
            "upstream a { include s/*; include none/*.conf; include s/{x,y}*; }",
        ),
        ("s/b", "server b;"),
        ("s/B", "server B;"),
        ("s/10", "server 10;"),
        ("s/2", "server 2;"),
        ("s/.hidden", "server hidden;"),
    ]);
    assert_eq!(servers(&load), ["10", "2", "B", "b"]);
    assert_eq!(load.findings("refused-at-load"), [""; 0]);
}

#[test]
fn one_file_can_be_included_at_many_places() {
    let load = load(&[
        (
            "nginx.conf",
            "upstream a { include s; }\nupstream b { include s; include s; }",
        ),
        ("s", "server x weight=2;"),
    ]);
    assert_eq!(servers(&load), ["x", "x", "x"]);
    assert_eq!(files(&load), ["nginx.conf", "s"]);
}

#[test]
fn what_cannot_be_included_is_said_at_the_include() {
    let load = load(&[
        (
            "nginx.conf",
            "include gone.conf;\ninclude dir;\ninclude d*;\ninclude a b;\nmap $a $b { include gone; }\nupstream a { server x; }",
        ),
        ("dir/", ""),
    ]);
    let findings = load.findings("refused-at-load");
    assert_eq!(
        findings,
        [
            "nginx.conf:1:1 `include` of `gone.conf`, which does not exist: nginx refuses to start",
            "nginx.conf:2:1 `include` of `dir`, which is a folder: nginx refuses to start",
            "nginx.conf:3:1 `include` of `dir`, which is a folder: nginx refuses to start",
            "nginx.conf:4:1 `include` has 2 arguments: nginx refuses to start with any number but 1",
            "nginx.conf:5:13 `include` of `gone`, which does not exist: nginx refuses to start",
        ]
    );
    assert_eq!(servers(&load), ["x"]);
}

#[test]
fn a_file_that_is_not_there_may_hold_the_listen_of_its_server() {
    let load = load(&[(
        "nginx.conf",
        "http { server { include listen.conf; } server { server_name a; } server { include x*; } }",
    )]);
    let listeners = &load.instance().listeners;
    let binds: Vec<usize> = listeners.iter().map(|it| it.binds.len()).collect();
    assert_eq!(binds, [0, 1, 1]);
}

#[test]
fn a_file_that_is_not_there_may_hold_the_default_of_its_map() {
    let load = load(&[(
        "nginx.conf",
        "http { map $arg_v $pool { a x; include pools.map; } upstream x { server 10.0.0.1; } \
         server { location / { proxy_pass http://$pool; } } }",
    )]);
    let splits = &load.instance().splits;
    let handled: Vec<bool> = splits.iter().map(|split| split.empty_handled).collect();
    assert_eq!(handled, [true]);
}

#[test]
fn loops_are_cut_and_said_once() {
    let load = load(&[
        ("nginx.conf", "upstream a { include a; }"),
        ("a", "server x; include b;"),
        (
            "b",
            "server y; include a; include b; include nginx.conf; server z;",
        ),
    ]);
    let findings = load.findings("refused-at-load");
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].starts_with("b:1:11 `include` of `a` leads back"));
    assert_eq!(servers(&load), ["x", "y", "z"]);
}

#[test]
fn a_link_to_a_file_being_included_is_a_loop() {
    let folder = folder(&[("nginx.conf", "upstream a { server x; }\ninclude link;")]);
    std::os::unix::fs::symlink("nginx.conf", folder.path().join("link")).unwrap();
    let load = load_file(&folder.path().join("nginx.conf"));
    assert_eq!(load.findings("refused-at-load").len(), 1);
    assert_eq!(servers(&load), ["x"]);
}

/// Forty files, each including the next twice: 2^40 directives.
#[test]
fn files_that_double_are_read_once() {
    let mut files = vec![(
        "nginx.conf".to_owned(),
        "include f0; upstream a { server x; }".to_owned(),
    )];
    for file in 0..40 {
        let text = format!("include f{0};\ninclude f{0};", file + 1);
        files.push((format!("f{file}"), text));
    }
    files.push(("f40".to_owned(), "upstream b { server y; }".to_owned()));
    let borrowed: Vec<_> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let load = load(&borrowed);
    assert_eq!(servers(&load), ["y", "x"]);
    assert!(load.findings("refused-at-load")[0].contains("more than 20000000 directives"));
}

#[test]
fn each_file_must_close_its_own_blocks() {
    let load = load(&[
        ("nginx.conf", "include a; include b;"),
        ("a", "upstream a { server x;"),
        ("b", "} upstream b { server y; }"),
    ]);
    assert_eq!(
        load.findings("syntax-error"),
        [
            "a:1:1 block `upstream` is not closed: `}` expected",
            "b:1:1 unexpected `}`: no block is open here",
        ]
    );
    assert_eq!(servers(&load), ["x", "y"]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = folder(&[("nginx.conf", "include pipe;")]);
    let status = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(status.unwrap().success());
    let path = folder.path().join("nginx.conf");
    let input = Input {
        name: "conf/nginx.conf".to_owned(),
        bytes: fs::read(&path).unwrap(),
        path: Some(path),
    };
    let result = nginx::load(&Sources::default(), vec![input], &Options::default());
    match result {
        Err(Error::Read { path, .. }) => assert!(path.ends_with("pipe")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_configuration_can_include_nothing_at_all() {
    let load = load(&[("nginx.conf", "include /dev/null; upstream a { server x; }")]);
    assert_eq!(load.findings("refused-at-load"), [""; 0]);
    assert_eq!(servers(&load), ["x"]);
}

const DUMP: &str = "\
nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
nginx: configuration file /etc/nginx/nginx.conf test is successful
# configuration file /etc/nginx/nginx.conf:
http {
  include conf.d/*.conf;
  include /etc/nginx/gone.conf;
}

# configuration file /etc/nginx/conf.d/b.conf:
upstream b { server b; }
# configuration file /etc/nginx/conf.d/a.conf:

upstream a {
  server a weight=0;
}

";

#[test]
fn a_dump_is_read_as_the_files_it_was_made_of() {
    let load = load_text(DUMP);
    assert_eq!(
        files(&load),
        [
            "/etc/nginx/nginx.conf",
            "/etc/nginx/conf.d/a.conf",
            "/etc/nginx/conf.d/b.conf"
        ]
    );
    assert_eq!(servers(&load), ["a", "b"]);
    assert_eq!(
        load.findings("refused-at-load"),
        [
            "/etc/nginx/conf.d/a.conf:3:12 server `a` has `weight=0`: every nginx version refuses to start",
            "/etc/nginx/nginx.conf:3:3 `include` of `/etc/nginx/gone.conf`, which does not exist: nginx refuses to start",
        ]
    );
    assert_eq!(load.instance().root, "nginx.conf");
    let from = load
        .sources
        .get(load.instance().files[1])
        .included_from()
        .unwrap();
    assert_eq!(load.at(from), "/etc/nginx/nginx.conf:2:3");
}

#[test]
fn several_root_files_are_one_instance() {
    let input = |name: &str, text: &str| Input {
        name: name.to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let sources = Sources::default();
    let inputs = vec![
        input("a.conf", "upstream a { server x; }"),
        input("b.conf", "location / { proxy_pass http://a; }"),
    ];
    let loaded = nginx::load(&sources, inputs, &Options::default()).unwrap();
    let load = Load { sources, loaded };
    assert_eq!(files(&load), ["a.conf", "b.conf"]);
    assert_eq!(load.instance().routes_to(0).count(), 1);
    assert_eq!(load.instance().root, "a.conf");
}
