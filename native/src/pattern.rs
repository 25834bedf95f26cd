//! Regular expressions that both engines compile and match alike: RE2's and the crate regex's common part, in ASCII.

/// Counted repetitions within one another multiply, and OPA's engine stops at a thousand.
const MAX_REPEAT: usize = 1000;

/// What is not portable in a pattern, and what to write instead.
pub(crate) fn fault(pattern: &str) -> Option<&'static str> {
    let mut parser = Parser { rest: pattern };
    parser.alternatives(0).err().or_else(|| (!parser.rest.is_empty()).then_some("a `)` without `(`"))
}

struct Parser<'a> {
    rest: &'a str,
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

    /// `a|b|c`, up to the end or the `)` of a group: how often a part of it is repeated at most.
    fn alternatives(&mut self, depth: usize) -> Result<usize, &'static str> {
        if depth > 20 {
            return Err("groups nested too deeply");
        }
        let mut highest = 1;
        while let Some(c) = self.rest.chars().next().filter(|c| *c != ')') {
            self.next();
            let repeat = match c {
                '|' | '^' | '$' => None,
                '(' => {
                    if !self.eat("?:") && self.rest.starts_with('?') {
                        return Err(
                            "flags and names of groups: write the letters out, `[Aa]`, and a plain `(..)`",
                        );
                    }
                    let repeat = self.alternatives(depth + 1)?;
                    if !self.eat(")") {
                        return Err("a `(` without `)`");
                    }
                    Some(repeat)
                }
                '[' => {
                    self.class()?;
                    Some(1)
                }
                '\\' => {
                    self.escape()?;
                    Some(1)
                }
                '*' | '+' | '?' => return Err("a repetition of nothing, or of a repetition"),
                '{' | '}' | ']' => return Err("a bare bracket: write `\\{`, `\\}` or `\\]`"),
                _ => Some(1),
            };
            highest = highest.max(self.repetition(repeat)?);
        }
        Ok(highest)
    }

    /// What follows something that is repeated so often, or cannot be.
    fn repetition(&mut self, repeat: Option<usize>) -> Result<usize, &'static str> {
        if !(self.eat("*") || self.eat("+") || self.eat("?") || self.rest.starts_with('{')) {
            return Ok(repeat.unwrap_or(1));
        }
        let mut repeat = repeat.ok_or("a repetition of nothing, or of a repetition")?;
        if self.eat("{") {
            repeat = self.count(repeat)?;
        }
        self.eat("?");
        Ok(repeat)
    }

    /// The rest of `{3}`, `{3,}` or `{3,5}`.
    fn count(&mut self, repeat: usize) -> Result<usize, &'static str> {
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
        let repeat = repeat.saturating_mul(high.max(1));
        if low <= high && repeat <= MAX_REPEAT { Ok(repeat) } else { Err(WRONG) }
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
            "a{900}b{900}(c{2}d{3}){300}",
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
            "(x|(a{40})b){40}",
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
