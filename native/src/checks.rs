//! Static checks that regorus makes only when a statement is reached, or never.
//!
//! They use the engine's own syntax tree and builtin table (`regorus::unstable`), which is why its
//! version is pinned exactly.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref, Rule, Span};

use crate::allowed::{self, Builtin};
use crate::fault::Fault;
use crate::heads;
use crate::names::{self, Form};
use crate::portable::{self, Findings, Surroundings};
use crate::walk::{Seen, walk};

/// The parser takes 2^n steps for n nested array, set and object literals.
const MAX_BRACKETS: usize = 12;
/// How many rules and functions may wait for each other. Each takes native stack.
const MAX_CHAIN: usize = 100;

/// Where a rule lives: `["gate", "main", "decision"]` is `data.gate.main.decision`.
pub(crate) type Path = Vec<String>;

/// What the checks learn about the modules on the way.
#[derive(Default)]
pub(crate) struct Library {
    pub(crate) tests: Vec<String>,
    rules: BTreeMap<Path, Form>,
    packages: BTreeSet<Path>,
    uses: BTreeMap<Path, BTreeSet<Path>>,
    errors: Vec<String>,
}

/// To be called before the parser sees the source.
pub(crate) fn nesting(file: &str, source: &str) -> Result<(), Fault> {
    for (line, text) in source.split('\n').enumerate() {
        if let Some(unseen) = text.trim_end_matches('\r').chars().find(|c| is_unseen(*c)) {
            let code = u32::from(unseen);
            return Err(Fault::Syntax(format!("{file}:{}: the unseen character U+{code:04X}", line + 1)));
        }
    }
    let (mut depth, mut chars) = (0_usize, source.chars());
    while let Some(c) = chars.next() {
        match c {
            '#' => drop(chars.find(|c| *c == '\n')),
            '`' => drop(chars.find(|c| *c == '`')),
            '"' => while chars.find(|c| matches!(c, '"' | '\\')) == Some('\\') && chars.next().is_some() {},
            '[' | '{' if depth == MAX_BRACKETS => {
                return Err(Fault::Syntax(format!("{file}: more than {MAX_BRACKETS} nested brackets")));
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// What one reader takes for the end of a line or shows in another order, and what nobody sees at all.
fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// All mistakes of the modules in one error, or what is known about them.
pub(crate) fn analyse(
    modules: &[Ref<Module>],
    data: &Value,
    entrypoints: &[String],
) -> Result<Library, Fault> {
    let mut library = Library::default();
    library.declare(modules, data);
    modules.iter().for_each(|module| library.resolve(module, data));
    library.check_order();
    library.check_portable(modules);
    let rules = library.rules.iter().filter(|(_, form)| form.arity().is_none());
    let rules: BTreeSet<String> = rules.map(|(path, _)| dotted(path)).collect();
    for entrypoint in entrypoints.iter().filter(|entrypoint| !rules.contains(*entrypoint)) {
        library.errors.push(format!("entrypoint {entrypoint} is not a rule of these modules"));
    }
    if !library.errors.is_empty() {
        return Err(Fault::Compile(library.errors.join("\n")));
    }
    let is_test = |path: &String| path.rsplit('.').next().is_some_and(|name| name.starts_with("test_"));
    library.tests = rules.into_iter().filter(is_test).collect();
    Ok(library)
}

impl Library {
    fn declare(&mut self, modules: &[Ref<Module>], data: &Value) {
        let mut defaults = BTreeSet::new();
        for module in modules {
            let package = path(&module.package.refr);
            // regorus silently prefers base data to rules.
            if exists(data, &package) {
                let message = format!("the data document has a value at {}", dotted(&package));
                self.complain(&module.package.span, &message);
            }
            for rule in &module.policy {
                let form = Form::of(rule);
                let path = [&package[..], &path(names::head(rule))].concat();
                if *self.rules.entry(path.clone()).or_insert(form) != form {
                    self.complain(rule.span(), "declared elsewhere in another form or with other parameters");
                }
                if let Some((span, message)) = names::head_fault(rule) {
                    self.complain(span, message);
                }
                if matches!(rule.as_ref(), Rule::Default { .. }) && !defaults.insert(path) {
                    self.complain(rule.span(), "a second default for the same rule");
                }
            }
            self.packages.insert(package);
        }
        for module in modules {
            let package = path(&module.package.refr);
            for rule in &module.policy {
                let path = [&package[..], &path(names::head(rule))].concat();
                if let Some(message) = names::overlap(&path, &self.rules, &self.packages) {
                    self.complain(names::head(rule).span(), &message);
                }
            }
        }
    }

    fn resolve(&mut self, module: &Module, data: &Value) {
        let package = path(&module.package.refr);
        let mut scope = Scope { rule: Path::new(), package: &package, imports: names::imports(module), data };
        for rule in &module.policy {
            scope.rule = [&package[..], &path(names::head(rule))].concat();
            let (mut locals, mut references) = (BTreeSet::new(), Vec::new());
            walk(rule, &mut |seen| match seen {
                Seen::Local(name) => drop(locals.insert(name.text().to_owned())),
                Seen::Reference { refr, in_with } => references.push((refr, in_with)),
                Seen::Call { .. } => self.call(seen, &scope),
                Seen::TooDeep(span) => self.complain(span, "too long or too deeply nested"),
            });
            for name in locals.iter().filter(|name| scope.imports.contains_key(*name)) {
                let message = format!("the variable `{name}` has the name of an import: choose another");
                self.complain(rule.span(), &message);
            }
            // A rule with the name of a variable is missed here. That is safe: what must not be
            // missed is a recursion of functions alone, and calls do not come this way.
            references.retain(|(refr, _)| !locals.contains(&path(refr)[0]));
            for (refr, in_with) in references {
                self.reference(refr, in_with, &scope);
            }
            if let Some(span) = heads::fragile(rule, &locals) {
                self.complain(span, "assign this to a variable in the body, and use that in the head");
            } else if let Some(span) = heads::undecided(rule, &locals) {
                self.complain(
                    span,
                    "this may be undefined, and there is an `else`: assign it to a variable in the body",
                );
            }
        }
    }

    fn reference(&mut self, refr: &Expr, in_with: bool, scope: &Scope) {
        let path = path(refr);
        let (target, is_global) = match scope.imports.get(&path[0]) {
            Some(import) => ([&import[..], &path[1..]].concat(), true),
            None if path[0] == "data" => (path, true),
            None => ([&["data".to_owned()], scope.package, &path].concat(), false),
        };
        // Otherwise `input`, or something imported from it.
        let Some((_, target)) = target.split_first().filter(|(root, _)| *root == "data") else { return };
        let below = self.rules.range(target.to_vec()..).map(|(path, _)| path);
        let above = (1..target.len()).filter_map(|end| Some(self.rules.get_key_value(&target[..end])?.0));
        let used: Vec<Path> =
            below.take_while(|path| path.starts_with(target)).chain(above).cloned().collect();
        // A server has data of its own, and could be given more: nothing of it is any policy's business.
        if is_global && !exists(scope.data, target) && !self.is_readable(target, scope) {
            let problem =
                if used.is_empty() { "does not exist" } else { "is no rule: name the one that you mean" };
            self.complain(refr.span(), &format!("{} {problem}", dotted(target)));
        }
        if self.rules.get(target).is_some_and(|form| form.arity().is_some()) {
            self.complain(refr.span(), "a function is no value: call it");
        }
        // regorus gives wrong results if the rule is also needed by what the `with` is put on.
        if in_with && used.iter().any(|path| self.rules[path].arity().is_none()) {
            self.complain(refr.span(), "assign this to a variable before the `with`");
        }
        self.uses.entry(scope.rule.clone()).or_default().extend(used);
    }

    /// Does a path lead to a rule or into its value? The report alone asks all packages where controls are.
    fn is_readable(&self, target: &[String], scope: &Scope) -> bool {
        let controls: [&[&str]; 2] = [&["gate", "controls"], &["custom"]];
        let is_report = scope.package == ["gate", "main"] && controls.iter().any(|path| target == *path);
        is_report || (1..=target.len()).any(|end| self.rules.contains_key(&target[..end]))
    }

    fn call(&mut self, call: Seen, scope: &Scope) {
        let Seen::Call { function, span, arguments } = call else { return };
        let name = path(function);
        // In the order in which the engine looks; an import counts only if it leads to a function.
        let import = scope.imports.get(&name[0]).filter(|import| import[0] == "data");
        let imported = import.map(|import| [&import[1..], &name[1..]].concat());
        let local = if name[0] == "data" { name[1..].to_vec() } else { [scope.package, &name[..]].concat() };
        let function = |path: Path| Some((self.rules.get(&path)?.arity()?, path));
        let found = imported.into_iter().chain([local]).find_map(function);
        let name = name.join(".");
        let arity = if let Some((arity, path)) = found {
            self.uses.entry(scope.rule.clone()).or_default().insert(path);
            arity
        } else {
            match allowed::find(&name) {
                Builtin::Allowed { kinds } => kinds.len(),
                Builtin::Refused => return self.complain(span, &format!("no policy may call {name}")),
                Builtin::Unknown => return self.complain(span, &format!("unknown function {name}")),
            }
        };
        if arguments != arity {
            self.complain(span, &format!("{name} takes {arity} arguments, not {arguments}"));
        }
    }

    /// Each round removes the rules that need none of the others; what stays is a cycle.
    fn check_order(&mut self) {
        let mut pending = std::mem::take(&mut self.uses);
        for _ in 0..MAX_CHAIN {
            let waits = |uses: &BTreeSet<Path>| uses.iter().any(|path| pending.contains_key(path));
            let waiting = pending.iter().filter(|(_, uses)| waits(uses)).map(|(path, _)| path.clone());
            let waiting: BTreeSet<Path> = waiting.collect();
            pending.retain(|path, _| waiting.contains(path));
        }
        let Some(mut path) = pending.keys().next() else { return };
        let mut trail = Vec::new();
        while !trail.contains(&path) {
            trail.push(path);
            let Some(next) = pending[path].iter().find(|path| pending.contains_key(*path)) else {
                return self.errors.push(format!("more than {MAX_CHAIN} rules need each other in a row"));
            };
            path = next;
        }
        trail.push(path);
        let names: Vec<String> = trail.into_iter().map(|path| dotted(path)).collect();
        self.errors.push(format!("recursion: {}", names.join(" -> ")));
    }

    /// What the engines understand differently. Whether a rule may be any part of the input can hang on another rule.
    fn check_portable(&mut self, modules: &[Ref<Module>]) {
        let mut names: BTreeMap<&[String], BTreeSet<&str>> = BTreeMap::new();
        for path in self.rules.keys() {
            for end in 1..path.len() {
                names.entry(&path[..end]).or_default().insert(&path[end]);
            }
        }
        let (mut raw, mut faults) = (BTreeSet::new(), Vec::new());
        // Longer chains of rules have been refused.
        for _ in 0..=MAX_CHAIN {
            let known = raw.len();
            faults.clear();
            modules.iter().for_each(|module| check_module(module, &names, &mut raw, &mut faults));
            if raw.len() == known {
                break;
            }
        }
        faults.into_iter().for_each(|(span, message)| self.complain(&span, &message));
    }

    fn complain(&mut self, span: &Span, message: &str) {
        let error = span.message("error", message).trim_start().to_owned();
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

fn check_module(
    module: &Module,
    names: &BTreeMap<&[String], BTreeSet<&str>>,
    raw: &mut BTreeSet<Path>,
    faults: &mut Vec<(Span, String)>,
) {
    let package = path(&module.package.refr);
    let (empty, imports) = (BTreeSet::new(), names::imports(module));
    let rules = names.get(&package[..]).unwrap_or(&empty);
    let mut add = |span: &Span, message: String| faults.push((span.clone(), message));
    names::import_faults(module, rules).into_iter().for_each(|(span, message)| add(span, message));
    let mut has_not = false;
    for rule in &module.policy {
        let surroundings =
            Surroundings { package: &package, imports: &imports, rules, raw, is_test: is_test(&package) };
        let findings = portable::check(rule, &surroundings);
        let Findings { faults, is_raw, raw_arguments, has_not: has_not_here } = findings;
        faults.into_iter().for_each(|(span, message)| add(span, message));
        has_not |= has_not_here;
        raw.extend(raw_arguments);
        if is_raw {
            raw.insert([&package[..], &path(names::head(rule))].concat());
        }
    }
    if module.target.is_some() {
        add(
            &module.package.span,
            "`__target__` is no rule in the embedded engine: choose another name".to_owned(),
        );
    }
    if has_not && !names::imports_not(module) {
        let message =
            "`not` has another meaning in each engine: write `import future.keywords.not` below the package";
        add(&module.package.span, message.to_owned());
    }
}

fn is_test(package: &[String]) -> bool {
    package.last().is_some_and(|name| name.ends_with("_test"))
}

/// Where a name is used.
struct Scope<'a> {
    rule: Path,
    package: &'a [String],
    imports: BTreeMap<String, Path>,
    data: &'a Value,
}

/// `root.field["field"]`, up to the first index that is not a constant string.
pub(crate) fn path(mut expr: &Expr) -> Path {
    let mut fields = Vec::new();
    loop {
        expr = match expr {
            Expr::RefDot { refr, field, .. } => {
                fields.push(Some(field.0.text().to_owned()));
                refr
            }
            Expr::RefBrack { refr, index, .. } => {
                fields.push(match index.as_ref() {
                    Expr::String { value, .. } | Expr::RawString { value, .. } => {
                        value.as_string().ok().map(ToString::to_string)
                    }
                    _ => None,
                });
                refr
            }
            root => {
                fields.push(Some(root.span().text().to_owned()));
                break;
            }
        };
    }
    fields.into_iter().rev().map_while(|field| field).collect()
}

/// Is there a value at `path`, or one on the way to it that is not an object?
fn exists(data: &Value, path: &[String]) -> bool {
    let Some((name, rest)) = path.split_first() else { return true };
    let Ok(object) = data.as_object() else { return true };
    object.get(&Value::from(name.as_str())).is_some_and(|value| exists(value, rest))
}

pub(crate) fn dotted(path: &[String]) -> String {
    format!("data.{}", path.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(source: &str) -> Result<Library, Fault> {
        let mut engine = regorus::Engine::new();
        engine.add_policy("m.rego".to_owned(), format!("package m\n{source}")).expect("it parses");
        analyse(engine.get_modules(), &Value::new_object(), &[])
    }

    fn complaint(source: &str) -> String {
        library(source).err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn brackets_count_only_where_they_nest() {
        let deepest = "[".repeat(MAX_BRACKETS) + &"]".repeat(MAX_BRACKETS);
        assert_eq!(nesting("m", &deepest.repeat(3)), Ok(()));
        assert!(nesting("m", &format!("{{{deepest}}}")).is_err());
        let many = "[{".repeat(MAX_BRACKETS);
        for harmless in [format!("\"{many}\""), format!("`{many}`"), format!("# {many}\n"), "]}".repeat(50)] {
            assert_eq!(nesting("m", &harmless), Ok(()), "{harmless}");
        }
    }

    #[test]
    fn a_string_or_comment_cannot_hide_brackets_behind_it() {
        let many = "[".repeat(MAX_BRACKETS + 1);
        for start in ["\"\\\"\"", "\"\\\\\"", "`\\`", "# x\n", "\"#\"", "`\"`"] {
            assert!(nesting("m", &format!("{start}{many}")).is_err(), "{start}");
        }
    }

    #[test]
    fn nesting_survives_sources_that_end_early() {
        for source in ["\"", "\"\\", "`", "#", "", "\u{fc}\"\u{fc}"] {
            assert_eq!(nesting("m", source), Ok(()), "{source}");
        }
    }

    #[test]
    fn calls_are_resolved_with_their_arity() {
        assert_eq!(complaint("f(x) := x\np := f(1)"), "");
        assert!(complaint("f(x) := x\np := f(1, 2)").contains("f takes 1 arguments, not 2"));
        assert!(complaint("p := count()").contains("count takes 1 arguments, not 0"));
        assert!(complaint("p := http.send({})").contains("no policy may call http.send"));
    }

    #[test]
    fn a_recursion_is_named_link_by_link() {
        let message = complaint("f(x) := g(x)\ng(x) := h(x)\nh(x) := f(x)");
        assert_eq!(message, "recursion: data.m.f -> data.m.g -> data.m.h -> data.m.f");
    }

    #[test]
    fn chains_may_have_a_length_and_no_more() {
        let chain = |length: usize| {
            let links = (0..length).map(|n| format!("f{n}(x) := f{}(x)\n", n + 1));
            format!("{}f{length}(x) := x\n", links.collect::<String>())
        };
        assert_eq!(complaint(&chain(MAX_CHAIN - 1)), "");
        assert!(complaint(&chain(MAX_CHAIN + 10)).contains("need each other in a row"));
    }

    #[test]
    fn the_library_knows_its_tests() {
        let library =
            library("test_b if count([]) == 0\ntest_a := true\nf(x) := lower(x)").expect("it is valid");
        assert_eq!(library.tests, ["data.m.test_a", "data.m.test_b"]);
    }

    #[test]
    fn heads_that_lose_results_are_refused() {
        for source in [
            "p contains v.k if some v in input.l",
            "p contains {\"who\": v.k} if some v in input.l",
            "p contains lower(v) if some v in input.l",
            "p[v.k] := 1 if some v in input.l",
            "p[v.k] contains 1 if some v in input.l",
            "p[k] := v[k] if some k, v in input.l",
            "p := v.k if some v in input.l",
            "p := v.k if v := input.l[_]",
            "f(x) := v.k if some v in x",
            "p contains input.l[i] if some i in [0, 1]",
        ] {
            assert!(complaint(source).contains("in the head"), "{source}");
        }
    }

    #[test]
    fn heads_that_are_the_same_in_each_round_are_fine() {
        for source in [
            "p contains k if { some v in l; k := v.k }",
            "p contains {\"k\": k, \"id\": id} if { some v in l; k := v.k }\nid := \"x\"",
            "p contains input.name if some v in l",
            "p contains [x | x := v.k] if some v in l",
            "p[k] := {k} if some k in l",
            "p contains lower(input.name)",
            "p := input.name if input.name",
            "p := lower(x) if x := input.name",
            "f(x) := x.name if x.name",
        ] {
            assert_eq!(complaint(&format!("{source}\nl := [1]")), "", "{source}");
        }
    }

    #[test]
    fn a_path_ends_at_the_first_index_that_is_not_constant() {
        let mut engine = regorus::Engine::new();
        let source = "package m\nimport data.a.b[\"c d\"] as x\np := 1".to_owned();
        engine.add_policy("m.rego".to_owned(), source).expect("it parses");
        let imports = names::imports(&engine.get_modules()[0]);
        assert_eq!(imports["x"], ["data", "a", "b", "c d"]);
    }

    #[test]
    fn a_value_on_the_way_counts_as_existing() {
        let data = Value::from_json_str(r#"{"a": {"b": 1}}"#).expect("it is JSON");
        let at =
            |path: &[&str]| exists(&data, &path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(at(&["a"]) && at(&["a", "b"]) && at(&["a", "b", "c"]));
        assert!(!at(&["b"]) && !at(&["a", "c"]));
    }
}
