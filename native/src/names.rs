//! Names of modules, imports and rules: what each rule is, and which of them get in each other's way.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Import, Module, Rule, RuleHead, Span};

use crate::allowed;
use crate::checks::{Path, dotted, path};
use crate::terms;

/// What a rule is. Rules of one name are of one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One value.
    Complete,
    /// `p contains x`
    Set,
    /// `p[k] := v`
    Map,
    /// With this many arguments.
    Function(usize),
}

impl Form {
    pub(crate) fn of(rule: &Rule) -> Self {
        match rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => Self::Function(args.len()),
            Rule::Spec { head: RuleHead::Set { .. }, .. } => Self::Set,
            Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } if is_constant(refr) => Self::Complete,
            Rule::Spec { head: RuleHead::Compr { .. }, .. } => Self::Map,
            Rule::Default { args, .. } if args.is_empty() => Self::Complete,
            Rule::Default { args, .. } => Self::Function(args.len()),
        }
    }

    pub(crate) fn arity(self) -> Option<usize> {
        match self {
            Self::Function(arity) => Some(arity),
            Self::Complete | Self::Set | Self::Map => None,
        }
    }
}

pub(crate) fn head(rule: &Rule) -> &Expr {
    match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
    }
}

fn is_constant(refr: &Expr) -> bool {
    terms::indexes(refr).all(|(_, index)| matches!(index, Expr::String { .. }))
}

/// What one engine reads differently in a rule's head, whatever else there is.
pub(crate) fn head_fault(rule: &Rule) -> Option<(&Span, &'static str)> {
    let refr = head(rule);
    if allowed::is_taken(terms::root(refr).span().text()) {
        return Some((
            refr.span(),
            "this is the name of a builtin function or of an operator: choose another",
        ));
    }
    let is_map_of_sets = matches!(rule, Rule::Spec { head: RuleHead::Set { .. }, .. }) && !is_constant(refr);
    if matches!(refr, Expr::RefDot { .. }) && !is_map_of_sets {
        return Some((
            refr.span(),
            "what lies above it is `{}` in one engine and undefined in the other: write a rule of one name",
        ));
    }
    if let Rule::Spec { bodies, .. } = rule {
        if let Some(body) = bodies.iter().skip(1).find(|body| !body.is_else) {
            return Some((&body.span, "this body has another value in each engine: write a second rule"));
        }
        if bodies.iter().any(|body| body.is_else) && !is_constant(refr) {
            return Some((
                refr.span(),
                "a rule of many keys has no `else`: write rules that exclude each other",
            ));
        }
    }
    match rule {
        Rule::Spec { head: RuleHead::Set { span, refr, key }, .. } => {
            if !is_constant(refr) {
                return Some((
                    span,
                    "a map of sets is `{}` in one engine and undefined in the other when it is empty: write `p[k] := {v | ..}`",
                ));
            }
            let Some(key) = key else {
                return Some((span, "write `contains` for a set, or a value with `:=`"));
            };
            // As text, because the parser takes `p[x]` for the same thing.
            let is_written = span.source.contents().get(refr.span().end as usize..key.span().start as usize);
            (!is_written.is_some_and(|text| text.contains("contains")))
                .then_some((span, "write `contains` for a set"))
        }
        Rule::Spec { head: RuleHead::Func { refr, .. }, .. } if !is_constant(refr) => {
            Some((refr.span(), "the name of a function is written out"))
        }
        Rule::Default { refr, .. } if !is_constant(refr) => Some((refr.span(), "a default is for one value")),
        _ => None,
    }
}

/// The full path behind each alias, with its root (`data` or `input`).
pub(crate) fn imports(module: &Module) -> BTreeMap<String, Path> {
    module.imports.iter().filter_map(|import| Some((alias(import)?.to_owned(), path(&import.refr)))).collect()
}

fn alias(import: &Import) -> Option<&str> {
    match (&import.r#as, import.refr.as_ref()) {
        (Some(alias), _) => Some(alias.text()),
        (None, Expr::RefDot { field, .. }) => Some(field.0.text()),
        (None, Expr::RefBrack { index, .. }) => Some(index.span().text()),
        (None, root) => Some(root.span().text()),
    }
}

pub(crate) fn imports_not(module: &Module) -> bool {
    module.imports.iter().any(|import| path(&import.refr) == ["future", "keywords", "not"])
}

/// What is wrong with the imports of a module, whose package has these rules.
pub(crate) fn import_faults<'a>(module: &'a Module, rules: &BTreeSet<&str>) -> Vec<(&'a Span, String)> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let package = path(&module.package.refr);
    for import in &module.imports {
        let path = path(&import.refr);
        let mut complain = |message: &str| faults.push((&import.span, message.to_owned()));
        match path[0].as_str() {
            "future" if path == ["future", "keywords", "not"] => continue,
            "future" => complain(
                "import `future.keywords.not` and no other keyword: the embedded engine does not know them",
            ),
            "rego" if path == ["rego", "v1"] => continue,
            "rego" => complain("leave this import out: the embedded engine does not know it"),
            _ if path.len() == 1 => complain("import a path below it: the engines read this differently"),
            "data" if package.starts_with(&path[1..]) => complain(
                "through an import of its own package a rule is undefined in one engine: leave it out",
            ),
            _ => {}
        }
        let Some(alias) = alias(import) else { continue };
        if !seen.insert(alias) {
            faults.push((
                &import.span,
                format!("`{alias}` is imported twice: give one of them a name with `as`"),
            ));
        }
        if rules.contains(alias) || allowed::is_taken(alias) || matches!(alias, "input" | "data") {
            faults.push((
                &import.span,
                format!(
                    "`{alias}` has another meaning in this package: import it under another name with `as`"
                ),
            ));
        }
    }
    faults
}

/// Rules that stand where a package or another rule has its own.
pub(crate) fn overlap(
    path: &Path,
    rules: &BTreeMap<Path, Form>,
    packages: &BTreeSet<Path>,
) -> Option<String> {
    let below = |other: &Path| other.starts_with(path);
    if let Some(package) = packages.range(path.clone()..).next().filter(|package| below(package)) {
        return Some(format!("the package {} is at or below this rule: rename one of them", dotted(package)));
    }
    if rules.get(path) == Some(&Form::Map) {
        return None;
    }
    let next = rules.range(path.clone()..).map(|(other, _)| other).find(|other| *other != path)?;
    below(next).then(|| format!("the rule {} is below this rule: rename one of them", dotted(next)))
}
