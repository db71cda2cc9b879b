//! PyTorch's names.

/// The names of one of PyTorch's modules or classes.
pub struct Section {
    pub module: &'static str,
    pub names: Vec<&'static str>,
}

/// All of `api.txt`, in order.
pub fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in include_str!("api.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(module) => sections.push(Section { module, names: Vec::new() }),
            None => sections.iter_mut().next_back().into_iter().for_each(|s| s.names.extend(line.split_whitespace())),
        }
    }
    sections
}
