//! Whether a file is an nginx configuration, told from its content.
//!
//! In: bytes. Out: the number of telling blocks and directives in its first part.

use super::lex::{Lexer, Range, Token};
use super::parse::bom_length;

/// How much of a file is looked at.
const WINDOW: usize = 128 * 1024;
/// The most telling words that are counted: more make nothing clearer.
pub const MOST_TELLING: u32 = 64;

/// How much `bytes` look like a nginx configuration: the number of telling words found, 0 for none.
pub fn looks_like(bytes: &[u8]) -> u32 {
    let bytes = bytes.get(..bytes.len().min(WINDOW)).unwrap_or_default();
    let start = bom_length(bytes);
    let text = bytes.get(start..).unwrap_or_default().trim_ascii_start();
    // Scripts, markup and JSON may hold a piece of configuration, but are none.
    if text.starts_with(b"#!") || text.starts_with(b"<") || text.starts_with(b"{") {
        return 0;
    }
    if memchr::memchr2(b'{', b';', text).is_none() {
        return 0;
    }
    let mut score = Score::default();
    score.read(bytes, Lexer::new(bytes, start));
    score.total()
}

#[derive(Default)]
struct Score {
    top_blocks: u32,
    blocks: u32,
    directives: u32,
    /// Whether any line ends as nginx wants it.
    semicolons: bool,
}

impl Score {
    fn read(&mut self, bytes: &[u8], mut lexer: Lexer<'_>) {
        let mut words: Vec<Range> = Vec::new();
        let mut one_line = true;
        while self.top_blocks + self.blocks + self.directives < MOST_TELLING {
            match lexer.next() {
                Token::Word(word) => {
                    one_line &= words.is_empty() || !word.new_line;
                    // More words than any telling line has need not be kept.
                    if words.len() < 32 {
                        words.push(word.range);
                    }
                    continue;
                }
                Token::Comment(_) => continue,
                Token::Open(_) => self.block(bytes, &words),
                Token::Semicolon(_) => self.directive(bytes, &words, one_line),
                Token::Close(_) | Token::Fault(..) => {}
                Token::End => return,
            }
            words.clear();
            one_line = true;
        }
    }

    fn block(&mut self, bytes: &[u8], words: &[Range]) {
        let name = words.first().map_or(&b""[..], |word| word.of(bytes));
        let variable = |at: usize| {
            words
                .get(at)
                .is_some_and(|word| word.of(bytes).starts_with(b"$"))
        };
        match (name, words.len()) {
            (b"http" | b"events" | b"stream" | b"mail", 1) => self.top_blocks += 1,
            (b"server", 1) | (b"upstream", 2) | (b"location", 2 | 3) => self.blocks += 1,
            (b"map" | b"split_clients", 3) if variable(2) => self.blocks += 1,
            (b"geo", 2) if variable(1) => self.blocks += 1,
            _ => {}
        }
    }

    fn directive(&mut self, bytes: &[u8], words: &[Range], one_line: bool) {
        let name = words.first().map_or(&b""[..], |word| word.of(bytes));
        self.semicolons |= words.len() > 1;
        let telling = matches!(
            name,
            b"listen"
                | b"server_name"
                | b"proxy_pass"
                | b"grpc_pass"
                | b"fastcgi_pass"
                | b"uwsgi_pass"
                | b"scgi_pass"
                | b"memcached_pass"
                | b"proxy_set_header"
                | b"worker_processes"
                | b"worker_connections"
                | b"load_module"
                | b"ip_hash"
                | b"least_conn"
                | b"proxy_next_upstream"
                | b"proxy_connect_timeout"
        );
        self.directives += u32::from(telling && one_line);
    }

    /// Blocks without a single `;` are of something else (HCL has `server {` too).
    fn total(&self) -> u32 {
        if self.semicolons {
            self.top_blocks + self.blocks + self.directives
        } else {
            self.top_blocks
        }
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn configurations_and_fragments_are_found() {
        for text in [
            "events {}\nhttp {}\n",
            "upstream a {\n  server 10.0.0.1:80;\n}\n",
            "server {\n listen 80;\n}\n",
            "location /x { return 200; }",
            "stream { server { listen 1; proxy_pass a; } }",
            "# configuration file /etc/nginx/nginx.conf:\nevents {}\n",
            "\u{feff}http { server { listen 80; } }",
            "split_clients $remote_addr $v { 50% a; * b; }",
            "user nginx\nworker_processes 1;\nhttp { server { listen 80 } }",
        ] {
            assert!(looks_like(text.as_bytes()) > 0, "{text}");
        }
    }

    #[test]
    fn other_files_are_not_taken() {
        for text in [
            "",
            "global\n  daemon\nlisten stats\n  bind :80\n  server a 10.0.0.1:80 check\n",
            "frontend f\n  use_backend b if { path /x }\n  rspadd Set-Cookie:\\ a;\n",
            "body { color: red; }\n.server { margin: 0; }\n",
            "{\"http\": {\"server\": {}}}",
            "#include <x.h>\nstruct server { int port; };\nint main() { listen(80); }\n",
            "local http = require 'http'\nhttp.server {\n port = 80\n}\n",
            "options { directory \"/var\"; };\nserver 10.0.0.1 { keys k; };\ninclude \"/etc/x\";\n",
            "#!/bin/sh\ncat <<E\nserver { listen 80; }\nE\n",
            "/var/log/nginx/*.log {\n  daily\n  rotate 3\n}\n",
            "server {\n  enabled = true\n}\n",
            "[Unit]\nDescription=nginx\n",
            "apiVersion: v1\nkind: ConfigMap\n",
            "window.location = 'x'; location = '/y';\n",
        ] {
            assert_eq!(looks_like(text.as_bytes()), 0, "{text}");
        }
    }
}
