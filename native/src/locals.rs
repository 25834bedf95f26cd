//! The variables that exist where the walk of `portable` is.

use regorus::unstable::{Expr, Span};

/// How a variable comes to be. `is_raw`: its value is a part of the input that nobody looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Argument {
        is_raw: bool,
    },
    Assigned {
        is_raw: bool,
    },
    /// By `some x`, which gives no value.
    Some,
    Each {
        is_raw: bool,
    },
    Every {
        is_raw: bool,
    },
}

pub(crate) struct Local<'a> {
    span: &'a Span,
    how: How,
    is_used: bool,
    pub(crate) has_value: bool,
    pub(crate) is_raw: bool,
    scope: usize,
}

enum Entry<'a> {
    Local(Local<'a>),
    /// What a statement before has found to be a collection.
    Checked(Key),
}

/// An expression without calls and operators, so that two of them can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    root: String,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Field(String),
    Number(String),
    Variable(String),
}

impl Key {
    pub(crate) fn of(mut expr: &Expr) -> Option<Self> {
        let mut parts = Vec::new();
        loop {
            expr = match expr {
                Expr::RefDot { refr, field, .. } => {
                    parts.push(Part::Field(field.0.text().to_owned()));
                    refr
                }
                Expr::RefBrack { refr, index, .. } => {
                    parts.push(match index.as_ref() {
                        Expr::String { value, .. } | Expr::RawString { value, .. } => {
                            Part::Field(value.as_string().ok()?.to_string())
                        }
                        Expr::Number { span, .. } => Part::Number(span.text().to_owned()),
                        Expr::Var { span, .. } if span.text() != "_" => {
                            Part::Variable(span.text().to_owned())
                        }
                        _ => return None,
                    });
                    refr
                }
                Expr::Var { span, .. } => return Some(Self { root: span.text().to_owned(), parts }),
                _ => return None,
            };
        }
    }

    fn names(&self, name: &str) -> bool {
        self.root == name
            || self.parts.iter().any(|part| matches!(part, Part::Variable(variable) if variable == name))
    }
}

#[derive(Default)]
pub(crate) struct Locals<'a> {
    entries: Vec<Entry<'a>>,
    /// Where in `entries` each scope starts.
    scopes: Vec<usize>,
}

impl<'a> Locals<'a> {
    pub(crate) fn enter(&mut self) {
        self.scopes.push(self.entries.len());
    }

    /// What was declared in the scope that ends and had to be used, but was not.
    pub(crate) fn leave(&mut self) -> Vec<&'a Span> {
        let start = self.scopes.pop().unwrap_or_default();
        let unused = |entry: Entry<'a>| match entry {
            Entry::Local(Local { span, how: How::Some | How::Every { .. }, is_used: false, .. }) => {
                Some(span)
            }
            _ => None,
        };
        self.entries.drain(start..).filter_map(unused).collect()
    }

    pub(crate) fn declare(&mut self, span: &'a Span, how: How) {
        let (has_value, is_raw) = match how {
            How::Some => (false, false),
            How::Argument { is_raw }
            | How::Assigned { is_raw }
            | How::Each { is_raw }
            | How::Every { is_raw } => (true, is_raw),
        };
        let scope = self.scopes.len();
        self.entries.push(Entry::Local(Local { span, how, is_used: false, has_value, is_raw, scope }));
    }

    /// Remembers that the value of an expression is a collection.
    pub(crate) fn check(&mut self, key: Option<Key>) {
        self.entries.extend(key.map(Entry::Checked));
    }

    /// Whether it was checked, and all its names have meant the same since.
    pub(crate) fn is_checked(&self, key: &Key) -> bool {
        for entry in self.entries.iter().rev() {
            match entry {
                Entry::Checked(checked) if checked == key => return true,
                Entry::Local(local) if key.names(local.span.text()) => return false,
                _ => {}
            }
        }
        false
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Local<'a>> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Local(local) if local.span.text() == name => Some(local),
            _ => None,
        })
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut Local<'a>> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Local(local) if local.span.text() == name => Some(local),
            _ => None,
        })
    }

    /// Marks a variable as used, and tells whether it has a value. `None`: there is no such variable.
    pub(crate) fn use_of(&mut self, name: &str) -> Option<bool> {
        let local = self.find_mut(name)?;
        local.is_used = true;
        Some(local.has_value)
    }

    /// What is declared without a value gets one as an index, but only in the scope that declares it.
    pub(crate) fn give_value(&mut self, name: &str) -> bool {
        let scope = self.scopes.len();
        let Some(local) = self.find_mut(name).filter(|local| local.scope == scope) else { return false };
        (local.is_used, local.has_value) = (true, true);
        true
    }

    pub(crate) fn is_in_this_scope(&self, name: &str) -> bool {
        self.find(name).is_some_and(|local| local.scope == self.scopes.len())
    }
}
