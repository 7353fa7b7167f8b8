//! nginx configurations: lexer, tree, parser and lowering to the model.

use super::{Input, Loaded, Options};
use crate::error::Error;
use crate::source::Sources;

/// How much `bytes` look like a nginx configuration: the number of telling words found, 0 for none.
pub fn looks_like(_bytes: &[u8]) -> u32 {
    0
}

/// Whether a block that only a root file has (`events`, `http`, `stream`, `mail`) seems to stand in
/// `bytes`. A cheap look that decides which files of a folder are read first.
pub fn has_main_block(bytes: &[u8]) -> bool {
    let first_word = |line: &[u8]| {
        let line = line.trim_ascii_start();
        let end = line
            .iter()
            .position(|&byte| !byte.is_ascii_alphabetic())
            .unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end).unwrap_or_default();
        let opens = rest
            .trim_ascii_start()
            .first()
            .is_none_or(|&byte| byte == b'{');
        opens && matches!(word, b"events" | b"http" | b"stream" | b"mail")
    };
    bytes.split(|&byte| byte == b'\n').any(first_word)
}

/// Reads the files of one instance.
pub fn load(_sources: &Sources, _inputs: Vec<Input>, _options: &Options) -> Result<Loaded, Error> {
    Ok(Loaded {
        variants: Vec::new(),
        findings: Vec::new(),
    })
}
