//! Which classes a classifier takes for which.

use std::fmt;

/// Counts of actual and predicted classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: usize,
    /// Row by row: row the actual class, column the predicted one.
    counts: Vec<usize>,
}

impl Confusion {
    /// A table of `classes` classes with nothing counted.
    pub fn new(classes: usize) -> Self {
        Confusion { classes, counts: vec![0; classes * classes] }
    }

    /// Counts a batch; on an error nothing of it is counted.
    ///
    /// # Errors
    /// The two differ in length, or a class is not in the table.
    pub fn add(&mut self, actual: &[i64], predicted: &[i64]) -> Result<(), String> {
        if actual.len() != predicted.len() {
            let (labels, answers) = (actual.len(), predicted.len());
            return Err(format!("{labels} labels, but {answers} predictions"));
        }
        let class = |value: &i64| {
            let inside = usize::try_from(*value).ok().filter(|c| *c < self.classes);
            inside.ok_or_else(|| format!("class {value} is not among 0 to {}", self.classes - 1))
        };
        let rows = actual.iter().map(class).collect::<Result<Vec<_>, _>>()?;
        let cols = predicted.iter().map(class).collect::<Result<Vec<_>, _>>()?;
        for (row, col) in rows.into_iter().zip(cols) {
            self.counts[row * self.classes + col] += 1;
        }
        Ok(())
    }

    /// The share of all samples that is predicted right; nan without samples.
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes).map(|class| self.row(class)[class]);
        right.sum::<usize>() as f64 / self.counts.iter().sum::<usize>() as f64
    }

    fn row(&self, class: usize) -> &[usize] {
        &self.counts[class * self.classes..(class + 1) * self.classes]
    }
}

/// The table with a row for each actual class, points for zeros, and the share of the row that is right.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().copied().max().unwrap_or(0);
        let width = largest.max(self.classes).to_string().len().max(2) + 1;
        writeln!(f, "actual   predicted")?;
        write!(f, "      ")?;
        for class in 0..self.classes {
            write!(f, "{class:>width$}")?;
        }
        writeln!(f, "    right")?;
        for class in 0..self.classes {
            let row = self.row(class);
            write!(f, "{class:>6}")?;
            for count in row {
                match count {
                    0 => write!(f, "{:>width$}", "·")?,
                    _ => write!(f, "{count:>width$}")?,
                }
            }
            match row.iter().sum::<usize>() {
                0 => writeln!(f, "        -")?,
                all => writeln!(f, "{:>7.1} %", 100.0 * row[class] as f64 / all as f64)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lines_up() -> Result<(), String> {
        let mut table = Confusion::new(3);
        table.add(&[0, 0, 0, 1], &[0, 0, 2, 1])?;
        table.add(&[1; 120], &[1; 120])?;
        let expected = "\
actual   predicted
         0   1   2    right
     0   2   ·   1   66.7 %
     1   · 121   ·  100.0 %
     2   ·   ·   ·        -
";
        assert_eq!(table.to_string(), expected);
        assert_eq!(table.accuracy(), 123.0 / 124.0);
        Ok(())
    }

    #[test]
    fn a_wrong_batch_is_refused_whole() {
        let mut table = Confusion::new(2);
        let lengths = table.add(&[0, 1], &[0]);
        assert_eq!(lengths, Err("2 labels, but 1 predictions".to_string()));
        let class = table.add(&[0, 1], &[0, 2]);
        assert_eq!(class, Err("class 2 is not among 0 to 1".to_string()));
        assert!(table.add(&[-1], &[0]).is_err());
        assert_eq!(table, Confusion::new(2));
        assert!(table.accuracy().is_nan());
    }
}
