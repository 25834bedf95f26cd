//! Regular expressions that both engines compile and match alike: RE2's and the crate regex's common part, in ASCII.

/// Counted repetitions multiply, and OPA's engine stops at a thousand.
const MAX_REPEAT: usize = 1000;

/// What is not portable in a pattern, and what to write instead.
pub(crate) fn fault(pattern: &str) -> Option<&'static str> {
    let mut parser = Parser { rest: pattern, repeat: 1 };
    parser.alternatives(0).err().or_else(|| (!parser.rest.is_empty()).then_some("a `)` without `(`"))
}

struct Parser<'a> {
    rest: &'a str,
    /// The product of all counted repetitions so far.
    repeat: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).inspect(|rest| self.rest = rest).is_some()
    }

    /// `a|b|c`, up to the end or the `)` of a group.
    fn alternatives(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth > 20 {
            return Err("groups nested too deeply");
        }
        while let Some(c) = self.rest.chars().next().filter(|c| *c != ')') {
            self.next();
            let can_repeat = match c {
                '|' | '^' | '$' => false,
                '(' => {
                    if !self.eat("?:") && self.rest.starts_with('?') {
                        return Err(
                            "flags and names of groups: write the letters out, `[Aa]`, and a plain `(..)`",
                        );
                    }
                    self.alternatives(depth + 1)?;
                    if !self.eat(")") {
                        return Err("a `(` without `)`");
                    }
                    true
                }
                '[' => {
                    self.class()?;
                    true
                }
                '\\' => {
                    self.escape()?;
                    true
                }
                '*' | '+' | '?' => return Err("a repetition of nothing, or of a repetition"),
                '{' | '}' | ']' => return Err("a bare bracket: write `\\{`, `\\}` or `\\]`"),
                _ => true,
            };
            self.repetition(can_repeat)?;
        }
        Ok(())
    }

    fn repetition(&mut self, can_repeat: bool) -> Result<(), &'static str> {
        if !(self.eat("*") || self.eat("+") || self.eat("?") || self.rest.starts_with('{')) {
            return Ok(());
        }
        if !can_repeat {
            return Err("a repetition of nothing, or of a repetition");
        }
        if self.eat("{") {
            self.count()?;
        }
        self.eat("?");
        Ok(())
    }

    /// The rest of `{3}`, `{3,}` or `{3,5}`.
    fn count(&mut self) -> Result<(), &'static str> {
        const WRONG: &str =
            "a bare `{`: write `\\{`, or a repetition such as `{2}`, `{2,}` or `{2,5}` up to 1000";
        let (text, rest) = self.rest.split_once('}').ok_or(WRONG)?;
        self.rest = rest;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| text.parse::<usize>().ok()).flatten().ok_or(WRONG)
        };
        let (low, high) = match text.split_once(',') {
            None => (number(text)?, number(text)?),
            Some((low, "")) => (number(low)?, number(low)?),
            Some((low, high)) => (number(low)?, number(high)?),
        };
        self.repeat = self.repeat.saturating_mul(high.max(1));
        if low <= high && self.repeat <= MAX_REPEAT { Ok(()) } else { Err(WRONG) }
    }

    /// The rest of `[a-z_]`.
    fn class(&mut self) -> Result<(), &'static str> {
        const WRONG: &str = "this in a `[..]`: escape `[`, `]`, `&`, `~`, `^` and `-` there, name no classes";
        self.eat("^");
        let mut low = None;
        for length in 0.. {
            let member = match self.next().ok_or("a `[` without `]`")? {
                ']' if length > 0 && low.is_none() => return Ok(()),
                '\\' => self.escape()?,
                '[' | ']' | '&' | '~' | '^' | '-' => return Err(WRONG),
                c => c,
            };
            match low.take() {
                Some(low) if low > member => return Err("a range from high to low"),
                Some(_) => {}
                None if self.eat("-") => low = Some(member),
                None => {}
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        match self.next() {
            Some(
                c @ ('.' | '\\' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$'),
            ) => Ok(c),
            Some(c @ ('-' | '/' | '&' | '~' | '#')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            _ => Err("this escape: write the characters out, such as `[0-9]` for `\\d`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_both_engines_match_alike_passes() {
        for pattern in [
            "",
            "a",
            "^[0-9a-f]{32,128}$",
            "^(a|b)*?c+$",
            r"\.\-\/\[",
            "(?:ab){2,}",
            "[^a-z_.]",
            r"[\-\]\\]",
            "é|😀",
            "()",
            "a||b",
            ".{1000}",
            "x{0}",
            "[+*?.$(){}|,]",
        ] {
            assert_eq!(fault(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for pattern in [
            r"\d",
            r"\w",
            r"\s",
            r"\b",
            r"\B",
            r"\pL",
            r"\C",
            r"\Qa\E",
            r"\x41",
            r"\u0041",
            r"\z",
            r"\A",
            r"\<",
            "\\",
            "(?i)a",
            "(?i:a)",
            "(?P<n>a)",
            "(?<n>a)",
            "(?=a)",
            "(a",
            "a)",
            "a{",
            "{",
            "}",
            "]",
            "a{,2}",
            "a{2",
            "a{x}",
            "a{1001}",
            "a{3,2}",
            "(a{40}){40}",
            "a{ 1}",
            "a++",
            "a**",
            "a{2}{2}",
            "*",
            "+a",
            "|?",
            "^*",
            "$+",
            "a|*",
            "[",
            "[]",
            "[a",
            "[]a]",
            "[^]",
            "[[:alpha:]]",
            "[a[b]]",
            "[a&&b]",
            "[a--b]",
            "[a~~b]",
            "[z-a]",
            "[a-]",
            "[-a]",
            r"[\d]",
            "[a^]",
            "[a-b-c]",
            "a{99999999999999999999}",
        ] {
            assert!(fault(pattern).is_some(), "{pattern}");
        }
        assert!(fault(&"(".repeat(100)).is_some());
    }
}
