//! Finds where a JSON value ends: strings, brackets and nothing else.

use crate::DEPTH_MAX;

/// The length of the value at the start of these bytes, if it ends in them.
pub(crate) fn value_length(bytes: &[u8]) -> Option<usize> {
    match Scan::default().run(bytes) {
        Step::Done(length) if length > 0 => Some(length),
        _ => None,
    }
}

/// Finds the end of one value, across any number of buffers.
#[derive(Default)]
pub(super) struct Scan {
    depth: usize,
    /// One bit for each open bracket: 1 for `{`, the innermost lowest.
    braces: u128,
    in_string: bool,
    escaped: bool,
    in_scalar: bool,
}

pub(super) enum Step {
    /// The value ends before this byte.
    Done(usize),
    More,
    Bad(usize, Bad),
}

pub(super) enum Bad {
    Closing(u8),
    Depth,
}

impl Scan {
    /// A number or word at top level has no end mark of its own.
    pub(super) fn may_end_here(&self) -> bool {
        self.in_scalar && self.depth == 0
    }

    pub(super) fn run(&mut self, bytes: &[u8]) -> Step {
        let mut at = 0;
        loop {
            if self.in_string {
                match self.string_end(bytes, at) {
                    Some(after) => at = after,
                    None => return Step::More,
                }
                self.in_string = false;
                if self.depth == 0 {
                    return Step::Done(at);
                }
            }
            let Some(&byte) = bytes.get(at) else { return Step::More };
            match CLASS[byte as usize] {
                PLAIN => self.in_scalar |= self.depth == 0,
                _ if self.may_end_here() => return Step::Done(at),
                GAP => {}
                QUOTE => self.in_string = true,
                OPEN => {
                    if self.depth == DEPTH_MAX {
                        return Step::Bad(at, Bad::Depth);
                    }
                    self.depth += 1;
                    self.braces = self.braces << 1 | u128::from(byte == b'{');
                }
                _ => {
                    if self.depth == 0 || (self.braces & 1 == 1) != (byte == b'}') {
                        return Step::Bad(at, Bad::Closing(byte));
                    }
                    self.depth -= 1;
                    self.braces >>= 1;
                    if self.depth == 0 {
                        return Step::Done(at + 1);
                    }
                }
            }
            at += 1;
        }
    }

    /// The place after the closing quote.
    fn string_end(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            if self.escaped {
                if at >= bytes.len() {
                    return None;
                }
                at += 1;
                self.escaped = false;
            }
            let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            at = found + 1;
            if bytes[found] == b'"' {
                return Some(at);
            }
            self.escaped = true;
        }
    }
}

const PLAIN: u8 = 0;
const GAP: u8 = 1;
const QUOTE: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;

const CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    class[b' ' as usize] = GAP;
    class[b'\t' as usize] = GAP;
    class[b'\n' as usize] = GAP;
    class[b'\r' as usize] = GAP;
    class[b',' as usize] = GAP;
    class[b':' as usize] = GAP;
    class[b'"' as usize] = QUOTE;
    class[b'{' as usize] = OPEN;
    class[b'[' as usize] = OPEN;
    class[b'}' as usize] = CLOSE;
    class[b']' as usize] = CLOSE;
    class
};
