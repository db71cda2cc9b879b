//! One array: `.npy` files.

use super::header::Header;
use crate::atomic::atomic_write;
use crate::mmap::Mapping;
use firebrick_core::{Error, Result, Tensor};
use std::io::Write;
use std::path::Path;

/// Reads an array: `torch.from_numpy(np.load(path, mmap_mode="c"))`.
///
/// The tensor looks at the mapped file, as [`Mapping::tensor`] says, unless its numbers have the other byte order.
/// An array in Fortran's order comes with the strides it has in NumPy.
///
/// # Errors
/// A file that is not as the format says or cannot be read; arrays of Python objects, and of what tensors do not have.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::numpy::{load_npy, save_npy};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// save_npy(&path, &x.t()?)?;
/// let y = load_npy(&path)?;
/// assert_eq!((y.stride(), y.to_vec::<f32>()?), ([1, 2].into(), vec![1.0, 3.0, 2.0, 4.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_npy(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let load = || {
        let file = Mapping::open(path)?;
        let header = Header::parse(&file)?;
        header.tensor(&file, Some((&file, 0)))
    };
    load().map_err(|error: Error| error.context(path.display()))
}

/// Writes an array, replacing the file whole: `np.save(path, x.numpy())`.
///
/// # Errors
/// bfloat16, which NumPy does not have; a lazy layer's parameter without shape; an I/O error. The old file is then
/// untouched.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::numpy::{load_npy, save_npy};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// save_npy(&path, &Tensor::new([[1.0f32, 2.0]])?)?;
/// assert_eq!(load_npy(&path)?.shape(), [1, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn save_npy(path: impl AsRef<Path>, tensor: &Tensor) -> Result<()> {
    let path = path.as_ref();
    let save = || atomic_write(path, |file| write_array(file, tensor));
    save().map_err(|error: Error| error.context(path.display()))
}

/// Writes header and elements.
pub(super) fn write_array(out: &mut (impl Write + ?Sized), tensor: &Tensor) -> Result<()> {
    let transposed = reversed(tensor)?;
    let fortran = !tensor.is_contiguous() && transposed.is_contiguous();
    let header = Header::write(tensor.dtype(), fortran, &tensor.shape())
        .map_err(|error| Error::from(error).remedy("NumPy has no bfloat16: convert it, as in `x.to(DType::F32)?`"))?;
    out.write_all(&header)?;
    if fortran { transposed.write_bytes(out) } else { tensor.write_bytes(out) }
}

/// The transpose over all dimensions.
fn reversed(tensor: &Tensor) -> Result<Tensor> {
    let dims: Vec<isize> = (0..tensor.dim() as isize).rev().collect();
    tensor.detach().permute(dims)
}

impl Header {
    /// The array. `bytes` begin with the header; they may also lie in a mapped file, from some byte on.
    pub(super) fn tensor(&self, bytes: &[u8], mapped: Option<(&Mapping, usize)>) -> Result<Tensor> {
        let mut shape = self.shape.clone();
        if self.fortran {
            shape.reverse();
        }
        let dtype = self.descr.dtype;
        let tensor = match mapped {
            Some((file, start)) if !self.descr.swapped => {
                file.tensor(start + self.data.start..start + self.data.end, shape.as_slice(), dtype)?
            }
            _ => {
                let bytes = bytes.get(self.data.clone()).unwrap_or_default();
                match self.descr.swapped {
                    false => Tensor::from_bytes(bytes, shape.as_slice(), dtype)?,
                    true => Tensor::from_bytes(&turned(bytes, dtype.to_real().size()), shape.as_slice(), dtype)?,
                }
            }
        };
        if self.fortran { reversed(&tensor) } else { Ok(tensor) }
    }
}

/// Numbers of `size` bytes in the other byte order.
fn turned(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    bytes
}
