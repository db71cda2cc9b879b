//! Uniform and normal numbers, and the distributions made of them.

use half::{bf16, f16};

use super::super::{Engine, fill_cauchy, fill_exponential, fill_log_normal, fill_normal, fill_uniform};
use super::{filled, refusal};

fn bits32(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn bits64(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn uniform_of_a_range_is_rounded_once() {
    let (from, to) = (-0.123, 0.456);
    let f32s = filled::<f32>(3, 4, |e, out| fill_uniform(e, out, from, to));
    assert_eq!(bits32(&f32s), [0xBDF6_D92E, 0xBD7D_7100, 0x3D2E_1768, 0xBDDB_F0F2]);
    let f64s = filled::<f64>(3, 3, |e, out| fill_uniform(e, out, from, to));
    let expected = [0xBFBA_6EAE_47C8_72DE, 0x3FA6_070E_9D00_7008, 0x3FD4_C4E6_1BC6_8EAE];
    assert_eq!(bits64(&f64s), expected);
    let f16s = filled::<f16>(3, 4, |e, out| fill_uniform(e, out, from, to));
    assert_eq!(f16s.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [0xAFB7, 0xABEC, 0x2971, 0xAEE0]);
    let bf16s = filled::<bf16>(3, 4, |e, out| fill_uniform(e, out, from, to));
    assert_eq!(bf16s.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [0xBDF7, 0xBD7D, 0x3D2E, 0xBDDC]);
}

#[test]
fn uniform_values_rounded_up_to_the_end_become_the_beginning() {
    let values = filled::<f16>(4, 20_000, |e, out| fill_uniform(e, out, 0.0, 1.0));
    let zeros: Vec<_> = (0..values.len()).filter(|&i| values[i] == f16::ZERO).collect();
    assert_eq!(zeros, [2372, 3133, 7360, 8771, 10_197, 15_310, 16_926, 18_797]);
    let end = 1.0 + 2.0_f64.powi(-20);
    let values = filled::<f32>(0, 300_000, |e, out| fill_uniform(e, out, 1.0, end));
    assert_eq!(values.iter().filter(|&&v| v == 1.0).count(), 37_630);
    assert!(values.iter().all(|&v| f64::from(v) < end));
}

#[test]
fn normal_block_path_redraws_a_ragged_end() {
    let values = filled::<f32>(5, 17, |e, out| fill_normal(e, out, 0.3, 0.02, true));
    assert_eq!(
        bits32(&values),
        [
            0x3EAC_7729,
            0x3EA6_1D11,
            0x3E96_279F,
            0x3E8F_B7C1,
            0x3E98_45B3,
            0x3E93_701C,
            0x3E9B_15B5,
            0x3E98_10D7,
            0x3EB4_5F8F,
            0x3EA1_9451,
            0x3E99_00AB,
            0x3E84_CEC8,
            0x3EA8_C905,
            0x3E9E_A8B1,
            0x3E9C_26EA,
            0x3EAB_7D57,
            0x3EA1_39FD,
        ]
    );
    let values = filled::<f64>(5, 17, |e, out| fill_normal(e, out, 0.3, 0.02, true));
    assert_eq!(bits64(&values)[..3], [0x3FD4_4111_6032_8A20, 0x3FD3_3639_607F_304A, 0x3FD4_2D44_E5ED_523B]);
    assert_eq!(bits64(&values)[14..], [0x3FD2_DB2C_BB2C_9FCE, 0x3FD2_B198_714A_131E, 0x3FD5_A770_8071_0372]);
}

#[test]
fn normal_block_path_of_the_small_types_takes_the_next_block_for_the_end() {
    let values = filled::<f16>(5, 17, |e, out| fill_normal(e, out, 0.3, 0.02, true));
    assert_eq!(
        values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        [
            0x3564, 0x35B1, 0x3531, 0x34B1, 0x347E, 0x34C2, 0x349C, 0x34D9, 0x34C1, 0x34A9, 0x350D, 0x34C8, 0x3426,
            0x3546, 0x34F5, 0x34E1, 0x355C,
        ]
    );
    let values = filled::<bf16>(5, 17, |e, out| fill_normal(e, out, 0.3, 0.02, true));
    assert_eq!(
        values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        [
            0x3EAC, 0x3EB6, 0x3EA6, 0x3E96, 0x3E90, 0x3E98, 0x3E93, 0x3E9B, 0x3E98, 0x3E95, 0x3EA2, 0x3E99, 0x3E85,
            0x3EA9, 0x3E9F, 0x3E9C, 0x3EAB,
        ]
    );
}

#[test]
fn a_hundred_thousand_float32_normals_agree_in_every_bit() {
    let values = filled::<f32>(6, 100_000, |e, out| fill_normal(e, out, 0.0, 1.0, true));
    let hash = values.iter().fold(0_u64, |hash, v| hash.wrapping_mul(31).wrapping_add(u64::from(v.to_bits())));
    assert_eq!(hash, 0x3291_D11A_E1F2_AB4E);
}

#[test]
fn the_scalar_path_keeps_its_second_number_across_fills_and_types() {
    let mut engine = Engine::new(5);
    let mut three = [0.0_f32; 3];
    fill_normal(&mut engine, &mut three, 0.3, 0.02, true).unwrap();
    assert_eq!(bits32(&three), [0x3E94_9D89, 0x3E93_6AB8, 0x3E93_E296]);
    engine.uniform_f32();
    let mut two = [0.0_f64; 2];
    fill_normal(&mut engine, &mut two, 0.3, 0.02, true).unwrap();
    assert_eq!(bits64(&two), [0x3FD4_0DEF_326C_0049, 0x3FD4_AD86_0091_9669]);
}

#[test]
fn strided_elements_take_the_scalar_path_whatever_their_number() {
    let mut engine = Engine::new(5);
    let mut values = [0.0_f32; 17];
    fill_normal(&mut engine, &mut values, 0.0, 1.0, false).unwrap();
    assert_eq!(bits32(&values[..4]), [0xBEF9_3B54, 0xBF1A_940D, 0xBF0E_DF65, 0x3F2A_E2DF]);
    assert_eq!(engine.random() % 1000, 497); // torch.randint(1000) next
}

#[test]
fn exponential_cauchy_and_log_normal_agree_in_every_bit() {
    let f32s = filled::<f32>(13, 3, |e, out| fill_exponential(e, out, 2.5));
    assert_eq!(bits32(&f32s), [0x3F07_CF93, 0x3E87_AB2F, 0x3D55_F666]);
    let f64s = filled::<f64>(13, 2, |e, out| fill_exponential(e, out, 2.5));
    assert_eq!(bits64(&f64s), [0x3FE0_F9F2_6F97_5A45, 0x3FD0_F565_DEB5_91F3]);
    let f32s = filled::<f32>(13, 3, |e, out| fill_cauchy(e, out, 0.1, 1.7));
    assert_eq!(bits32(&f32s), [0x3FD2_38E8, 0x3C88_9AF7, 0xC083_32DE]);
    let f64s = filled::<f64>(13, 2, |e, out| fill_cauchy(e, out, 0.1, 1.7));
    assert_eq!(bits64(&f64s), [0x3FFA_471C_F0C3_CB13, 0x3F91_135E_D866_7F76]);
    let f32s = filled::<f32>(13, 3, |e, out| fill_log_normal(e, out, 0.1, 0.7));
    assert_eq!(bits32(&f32s), [0x3F82_D379, 0x3EFD_C323, 0x403D_D349]);
    let f64s = filled::<f64>(13, 2, |e, out| fill_log_normal(e, out, 0.1, 0.7));
    assert_eq!(bits64(&f64s), [0x3FF0_5A6F_273E_99D5, 0x3FDF_B864_5831_8745]);
}

#[test]
fn refused_arguments_say_so_in_pytorchs_words() {
    let engine = &mut Engine::new(0);
    let mut f32s = [0.0_f32; 2];
    let mut f16s = [f16::ZERO; 2];
    for (message, expected) in [
        (
            refusal(fill_uniform(engine, &mut f32s, 2.0, 1.0)),
            "uniform_ expects to return a [from, to) range, but found from=2 > to=1",
        ),
        (
            refusal(fill_uniform(engine, &mut f32s, -3e38, 3e38)),
            "uniform_ expects to-from <= std::numeric_limits<Float>::max(), but found to=3e+38 and \
             from=-3e+38 which result in to-from to exceed the limit",
        ),
        (refusal(fill_uniform(engine, &mut f32s, f64::NAN, 1.0)), "from is out of bounds for float"),
        (refusal(fill_uniform(engine, &mut f16s, 0.0, 1e5)), "to is out of bounds for c10::Half"),
        (refusal(fill_normal(engine, &mut f32s, 0.0, -1.0, true)), "normal expects std >= 0.0, but found std -1"),
        (refusal(fill_exponential(engine, &mut f32s, 0.0)), "exponential_ expects lambda > 0.0, but found lambda=0"),
        (refusal(fill_cauchy(engine, &mut f32s, 0.0, -1.0)), "cauchy_ expects sigma > 0.0, but found sigma=-1"),
        (refusal(fill_log_normal(engine, &mut f32s, 1.0, 0.0)), "log_normal_ expects std > 0.0, but found std=0"),
    ] {
        assert_eq!(message, expected);
    }
}
