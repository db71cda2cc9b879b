//! How tensors print.

use super::facts;
use firebrick::prelude::*;

facts! { FACTS;
    "tensor_repr/56bf4ec6" Tensor::new([1.0f32, 2.5])?.to_string();
    "tensor_repr/a01dd2e4" Tensor::scalar(3.0)?.to_string();
    "tensor_repr/1d487a84" Tensor::zeros([0])?.to_string();
    "tensor_repr/663f91d5" Tensor::new([0.5f32])?.to(DType::F16)?.to_string();
    "tensor_repr/c186d004" Tensor::new([0.5f32])?.to(DType::BF16)?.to_string();
    "tensor_repr/b9c4db0d" Tensor::new([1u8, 200])?.to_string();
    "tensor_repr/d9e26ee4" Tensor::new([1e-8f32, 1.0])?.to_string();
    "tensor_repr/f913d966" Tensor::new([1e10f32, 1.0])?.to_string();
    "tensor_repr/641cea6c" Tensor::new([100000f32, 1.5])?.to_string();
    "tensor_repr/80a2fb12" range(6)?.to(DType::F32)?.div(7)?.view([2, 3])?.to_string();
    "tensor_repr/fa83febd" range(8)?.to(DType::F32)?.view([2, 2, 2])?.to_string();
    "tensor_repr/7bb4ab10" super::describe::leaf([1.0])?.to_string();
    "tensor_repr/00690ec4" range(40)?.to(DType::F32)?.to_string();
    "tensor_repr/c473aaaa" range(1600)?.view([40, 40])?.to_string();
    "tensor_repr/f27762e2" Tensor::new([-1.5f32, 2.0])?.to_string();
    "tensor_repr/27be600d" Tensor::new([0.00012345f32])?.to_string();
    "tensor_repr/cf521a31" Tensor::new([12345.678f32])?.to_string();
    "tensor_repr/f4db2343" Tensor::new([[1i64, -22], [333, 4]])?.to_string();
}

fn range(n: i64) -> Result<Tensor> {
    Tensor::new((0..n).collect::<Vec<i64>>())
}
