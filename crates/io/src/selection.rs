//! What is read of a file, how, and under which names: the same for every format.

use firebrick_core::{Device, Error, Result};
use globset::{GlobBuilder, GlobMatcher};
use indexmap::IndexMap;
use indexmap::map::Entry;

/// What is read of a file of tensors, and how: for every format.
///
/// Patterns are matched with whole names as they are in the file: `*` stands for any characters, dots among them, `?`
/// for one, `[0-9]` for one of a range, `{a,b}` for one of several texts, `\` before a character for that character.
/// The rules that rename apply in the order in which they are given, each to the outcome of the one before.
///
/// ```
/// use firebrick_io::LoadOptions;
///
/// let options = LoadOptions::new()
///     .include("module.encoder.*")
///     .exclude("*.bias")
///     .rename_prefix("module.", "")
///     .rename("gamma", "weight");
/// let names = ["module.encoder.norm.gamma", "module.encoder.norm.bias", "module.head.weight"];
/// assert_eq!(options.select(names)?, [("module.encoder.norm.gamma", "encoder.norm.weight".to_string())]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoadOptions {
    include: Vec<String>,
    exclude: Vec<String>,
    renames: Vec<Rename>,
    map_location: Option<Device>,
    mmap: Option<bool>,
    verify: bool,
}

#[derive(Clone, Debug)]
struct Rename {
    from: String,
    to: String,
    /// At the beginning of a name only, or everywhere in it?
    prefix: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let (include, exclude, renames) = (Vec::new(), Vec::new(), Vec::new());
        LoadOptions { include, exclude, renames, map_location: None, mmap: None, verify: true }
    }
}

impl LoadOptions {
    /// Everything, under the names in the file; checksums are compared.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads tensors whose names match this pattern or another one that is included. Without any, all are read.
    pub fn include(mut self, pattern: impl Into<String>) -> Self {
        self.include.push(pattern.into());
        self
    }

    /// Does not read tensors whose names match, even if they are included.
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.exclude.push(pattern.into());
        self
    }

    /// Puts `to` in the place of `from` where a name begins with it: `("module.", "")` takes a prefix off, `("",
    /// "model.")` puts one before every name.
    pub fn rename_prefix(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.rule(from.into(), to.into(), true)
    }

    /// Puts `to` in the place of `from` everywhere in the names.
    pub fn rename(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.rule(from.into(), to.into(), false)
    }

    fn rule(mut self, from: String, to: String, prefix: bool) -> Self {
        self.renames.push(Rename { from, to, prefix });
        self
    }

    /// Puts all tensors on one device, wherever they were when they were saved. Unless this is said, they go where they came
    /// from; of formats that do not tell, to main memory.
    ///
    /// ```
    /// use firebrick_core::{Device, StateDict, Tensor};
    /// use firebrick_io::{LoadOptions, load_safetensors_with, save_safetensors};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("model.safetensors");
    /// save_safetensors(&path, &StateDict::from_iter([("x", Tensor::ones([2])?)]))?;
    /// let options = LoadOptions::new().map_location(Device::Meta).mmap(false);
    /// assert!(load_safetensors_with(&path, &options)?.get("x").is_some_and(Tensor::is_meta));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn map_location(mut self, device: Device) -> Self {
        self.map_location = Some(device);
        self
    }

    /// Do tensors look at the file where it lies as they need it, or have copies in memory of their own?
    ///
    /// Unless this is said, `.pt` files are copied, as `torch.load` does, and tensors of the other formats look at the file, as
    /// those of `safetensors.torch.load_file` do. What looks at a file is read when it is used, and nothing that is written
    /// into it reaches the file: see [`Mapping::tensor`](crate::mmap::Mapping::tensor). Copies are for files that some other
    /// program will write into in place. Deflated records, bools, and numbers of the other byte order are always copied, where
    /// PyTorch's `mmap=True` refuses them. [`LoadOptions::map_location`] shows it.
    pub fn mmap(mut self, mmap: bool) -> Self {
        self.mmap = Some(mmap);
        self
    }

    /// Compares the checksums of `.pt` files or not; it does unless set. PyTorch does not; files written under `set_crc32_options(False)` have none
    /// that hold.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::LoadOptions;
    /// use firebrick_io::pytorch::{File, Object, to_bytes};
    /// let mut bytes = to_bytes(Object::dict([("x", Tensor::new([1.0f32])?.into())]))?;
    /// let place = bytes.windows(4).position(|four| four == 1.0f32.to_le_bytes()).expect("the number");
    /// bytes[place] = 1; // damage
    /// let read = |verify| File::from_bytes(bytes.clone(), &LoadOptions::new().verify(verify))?.read();
    /// assert!(read(true).is_err() && read(false).is_ok());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// The one device that tensors go to, if there is one.
    pub(crate) fn target(&self) -> Option<Device> {
        self.map_location
    }

    /// May tensors look at the file? `otherwise` if nothing was said.
    pub(crate) fn is_mapped_or(&self, otherwise: bool) -> bool {
        self.mmap.unwrap_or(otherwise)
    }

    /// Are checksums compared?
    pub(crate) fn verifies(&self) -> bool {
        self.verify
    }

    /// Is something left out or renamed?
    pub(crate) fn is_partial(&self) -> bool {
        !(self.include.is_empty() && self.exclude.is_empty() && self.renames.is_empty())
    }

    /// The wanted ones among the names in a file, in their order, each with the name it gets.
    ///
    /// # Errors
    /// A pattern that is malformed, or is included and matches no name; two names that become the same.
    pub fn select<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Vec<(&'n str, String)>> {
        let (include, exclude) = (compile(&self.include)?, compile(&self.exclude)?);
        let mut used = vec![false; include.len()];
        let mut wanted: IndexMap<String, &str> = IndexMap::new();
        for name in names {
            let mut included = include.is_empty();
            for (pattern, used) in include.iter().zip(&mut used) {
                let matches = pattern.is_match(name);
                included |= matches;
                *used |= matches;
            }
            if !included || exclude.iter().any(|pattern| pattern.is_match(name)) {
                continue;
            }
            match wanted.entry(self.renamed(name)) {
                Entry::Vacant(place) => drop(place.insert(name)),
                Entry::Occupied(place) => {
                    let message = format!("{:?} and {name:?} would both be called {:?}", place.get(), place.key());
                    return Err(Error::key(OP, message));
                }
            }
        }
        if let Some((pattern, _)) = self.include.iter().zip(used).find(|(_, used)| !used) {
            return Err(Error::key(OP, format!("no tensor in the file matches the pattern {pattern:?}")));
        }
        Ok(wanted.into_iter().map(|(new, old)| (old, new)).collect())
    }

    /// What a name becomes; the beginning of a name becomes the beginning of what that becomes.
    pub(crate) fn renamed(&self, name: &str) -> String {
        self.renames.iter().fold(name.to_string(), |name, rule| match rule.prefix {
            true => name.strip_prefix(&rule.from).map(|rest| format!("{}{rest}", rule.to)).unwrap_or(name),
            // An empty text is between any two characters; replacing it is meant by nobody.
            false if rule.from.is_empty() => name,
            false => name.replace(&rule.from, &rule.to),
        })
    }
}

const OP: &str = "load";

fn compile(patterns: &[String]) -> Result<Vec<GlobMatcher>> {
    let compile = |pattern: &String| match GlobBuilder::new(pattern).backslash_escape(true).build() {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(error) => Err(Error::value(OP, format!("pattern {pattern:?} is not valid: {}", error.kind()))),
    };
    patterns.iter().map(compile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &LoadOptions) -> Result<Vec<String>> {
        let all = ["a.0.weight", "a.0.bias", "a.12.weight", "b/c.weight", "b"];
        Ok(options.select(all)?.into_iter().map(|(_, new)| new).collect())
    }

    #[test]
    fn patterns_match_whole_names() {
        let select = |pattern: &str| names(&LoadOptions::new().include(pattern)).expect("valid and used");
        assert_eq!(select("b"), ["b"]);
        assert_eq!(select("*weight"), ["a.0.weight", "a.12.weight", "b/c.weight"]);
        assert_eq!(select("a.[0-9].*"), ["a.0.weight", "a.0.bias"]);
        assert_eq!(select("a.?.{bias,scale}"), ["a.0.bias"]);
        let both = LoadOptions::new().include("a.12.*").include("b*").exclude("*c*");
        assert_eq!(names(&both).expect("both are used"), ["a.12.weight", "b"]);
    }

    #[test]
    fn patterns_that_match_nothing_or_are_malformed_are_errors() {
        let error = |pattern: &str| names(&LoadOptions::new().include(pattern)).expect_err("refused").to_string();
        assert_eq!(error("a"), "no tensor in the file matches the pattern \"a\"");
        assert!(error("a[").starts_with("pattern \"a[\" is not valid: "), "{}", error("a["));
        assert!(names(&LoadOptions::new().exclude("nothing")).is_ok());
    }

    #[test]
    fn rules_rename_one_after_the_other_and_names_stay_distinct() {
        let prefixes = LoadOptions::new().include("a.0.*").rename_prefix("a.", "").rename_prefix("", "m.");
        assert_eq!(names(&prefixes).expect("distinct"), ["m.0.weight", "m.0.bias"]);
        let texts = LoadOptions::new().include("a.0.*").rename("a", "e").rename("", "x");
        assert_eq!(names(&texts).expect("distinct"), ["e.0.weight", "e.0.bies"]);
        let collision = LoadOptions::new().rename("12", "0");
        let error = names(&collision).expect_err("two become one").to_string();
        assert_eq!(error, "\"a.0.weight\" and \"a.12.weight\" would both be called \"a.0.weight\"");
    }
}
