//! Integers, permutations, coin tosses and dropout.

use half::{bf16, f16};

use super::super::bernoulli::toss;
use super::super::permutation::shuffle_large;
use super::super::{
    BernoulliRule, Engine, fill_bernoulli, fill_bernoulli_each, fill_dropout, fill_geometric, fill_randint,
    fill_random, fill_random_from, fill_randperm, randperm,
};
use super::{filled, refusal};

#[test]
fn random_without_bounds_covers_each_types_own_range() {
    fn four<T: super::super::Sample + Default>() -> Vec<T> {
        filled(8, 4, |engine, out| {
            fill_random(engine, out);
            Ok(())
        })
    }
    assert_eq!(four::<u8>(), [195, 84, 241, 105]);
    assert_eq!(four::<i8>(), [67, 84, 113, 105]);
    assert_eq!(four::<i16>(), [4547, 25_940, 18_417, 26_985]);
    assert_eq!(four::<i32>(), [1_603_867_075, 47_736_148, 2_012_366_833, 1_028_385_129]);
    assert_eq!(four::<i64>()[..2], [6_888_556_634_303_915_348, 8_643_049_736_318_478_697]);
    assert_eq!(four::<bool>(), [true, false, true, true]);
    assert_eq!(four::<f32>(), [10_031_332.0, 14_181_714.0, 15_877_882.0, 4_974_892.0]);
    assert_eq!(four::<f64>()[..2], [7_056_403_681_795_672.0, 5_145_651_021_865_386.0]);
    assert_eq!(four::<f16>().map_f32(), [543.0, 595.0, 1416.0, 225.0]);
    assert_eq!(four::<bf16>().map_f32(), [108.0, 197.0, 165.0, 143.0]);
}

trait MapF32 {
    fn map_f32(self) -> Vec<f32>;
}

impl<T: Into<f32>> MapF32 for Vec<T> {
    fn map_f32(self) -> Vec<f32> {
        self.into_iter().map(Into::into).collect()
    }
}

#[test]
fn randint_takes_wide_draws_from_two_to_the_28_on() {
    for (from, to, expected) in [
        (-7, 100, [44, 27, 65]),
        (0, (1 << 28) - 1, [44_556_670, 223_170_913, 8_051_334]),
        (0, 1 << 28, [223_170_908, 264_700_405, 32_397_368]),
        (-(1 << 40), 1 << 40, [542_731_227_484, -556_201_999_883, 781_716_445_240]),
    ] {
        assert_eq!(filled::<i64>(9, 3, |e, out| fill_randint(e, out, from, to)), expected);
    }
    let rounded = filled::<bf16>(9, 4, |e, out| fill_randint(e, out, -300, 300));
    assert_eq!(rounded.map_f32(), [-12.0, -234.0, 20.0, 223.0]);
    let open = filled::<i16>(9, 3, |e, out| fill_random_from(e, out, -5));
    assert_eq!(open, [18_158, 11_384, 21_986]);
}

#[test]
fn randint_refuses_what_the_type_cannot_hold() {
    let engine = &mut Engine::new(0);
    assert_eq!(
        refusal(fill_randint(engine, &mut [0_i64], 7, 5)),
        "random_ expects 'from' to be less than 'to', but got from=7 >= to=5"
    );
    assert_eq!(refusal(fill_randint(engine, &mut [0_u8], 0, 257)), "to - 1 is out of bounds for unsigned char");
    assert_eq!(
        refusal(fill_randint(engine, &mut [f16::ZERO], 4097, 4098)),
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got \
         from=4100 >= to=4098"
    );
    assert_eq!(
        refusal(fill_random_from(engine, &mut [f16::ZERO], 2048)),
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to \
         dtype, but got from=2048 > to_inc=2048"
    );
    assert_eq!(
        refusal(fill_random_from(engine, &mut [0_i32], i64::MIN)),
        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16"
    );
}

#[test]
fn permutations_agree_and_overlong_ones_are_refused() {
    assert_eq!(randperm(&mut Engine::new(10), 10).unwrap(), [7, 4, 6, 1, 3, 5, 9, 8, 2, 0]);
    let floats = filled::<f32>(10, 10, fill_randperm);
    assert_eq!(floats, [7.0, 4.0, 6.0, 1.0, 3.0, 5.0, 9.0, 8.0, 2.0, 0.0]);
    let untouched = &mut Engine::new(10);
    assert_eq!(randperm(untouched, 1).unwrap(), [0]);
    assert_eq!(*untouched, Engine::new(10));
    let engine = &mut Engine::new(0);
    assert_eq!(
        refusal(fill_randperm(engine, &mut [0_u8; 257])),
        "value cannot be converted to type uint8_t without overflow"
    );
    assert_eq!(refusal(fill_randperm(engine, &mut [false; 3])), "\"randperm\" not implemented for 'Bool'");
}

#[test]
fn the_shuffle_of_very_long_permutations_is_the_inside_out_one() {
    let mut shuffled = [0_i32; 200];
    shuffle_large(&mut Engine::new(7), &mut shuffled);
    // The same rule on a growing list: the newcomer takes a place, its holder moves to the end.
    let mut engine = Engine::new(7);
    let mut list = Vec::new();
    for i in 0..200 {
        let at = (engine.random64() % (i + 1)) as usize;
        list.push(i as i32);
        let last = list.len() - 1;
        list.swap(at, last);
    }
    assert_eq!(shuffled.to_vec(), list);
}

#[test]
fn bernoulli_compares_float64_uniforms_or_those_of_the_probabilities_type() {
    let tosses = filled::<u8>(11, 20, |e, out| fill_bernoulli(e, out, 0.3));
    assert_eq!(tosses, [1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0]);
    let p = [0.1_f32, 0.9, 0.5, 0.5, 0.5, 0.2, 0.8, 0.5];
    let tosses = filled::<u8>(11, 8, |e, out| fill_bernoulli_each(e, out, &p));
    assert_eq!(tosses, [0, 1, 0, 1, 0, 0, 1, 1]);
    let p = p.map(f64::from);
    let tosses = filled::<u8>(11, 8, |e, out| fill_bernoulli_each(e, out, &p));
    assert_eq!(tosses, [0, 1, 0, 0, 0, 1, 1, 1]);
    assert_eq!(
        refusal(fill_bernoulli(&mut Engine::new(0), &mut [0_u8], 1.5)),
        "bernoulli_ expects p to be in [0, 1], but got p=1.5"
    );
}

#[test]
fn the_mkl_rule_takes_one_draw_and_follows_mcg31() {
    let mut engine = Engine::new(0);
    let mut tosses = [0_u8; 8];
    toss(&mut engine, BernoulliRule::Mkl, &mut tosses, 0.5, 1, 0).unwrap();
    let mut reference = Engine::new(0);
    let mut x = u128::from(reference.random()) % ((1 << 31) - 1);
    for toss in tosses {
        assert_eq!(toss == 1, 2 * x < (1 << 31) - 1);
        x = x * 1_132_489_760 % ((1 << 31) - 1);
    }
    assert_eq!(engine, reference);
}

#[test]
fn dropout_scales_what_it_keeps_and_draws_nothing_at_the_ends() {
    let kept = 1.0 / 0.7_f32;
    let noise = filled::<f32>(12, 16, |e, out| fill_dropout(e, out, 0.3));
    for (i, value) in noise.into_iter().enumerate() {
        assert_eq!(value, if [0, 4, 8, 12].contains(&i) { 0.0 } else { kept });
    }
    let noise = filled::<f16>(12, 4, |e, out| fill_dropout(e, out, 0.3));
    assert_eq!(noise.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [0, 0x3DB7, 0x3DB7, 0x3DB7]);
    for (p, value) in [(0.0, 1.0), (1.0, 0.0)] {
        let mut engine = Engine::new(1);
        let mut noise = [0.5_f32; 3];
        fill_dropout(&mut engine, &mut noise, p).unwrap();
        assert_eq!(noise, [value; 3]);
        assert_eq!(engine, Engine::new(1));
    }
}

#[test]
fn geometric_counts_tosses_and_wraps_in_small_integers() {
    let counts = filled::<i64>(13, 6, |e, out| fill_geometric(e, out, 0.2));
    assert_eq!(counts, [2, 4, 10, 1, 1, 2]);
    let wrapped = filled::<i8>(13, 6, |e, out| fill_geometric(e, out, 0.002));
    assert_eq!(wrapped, [-101, 107, 26, 79, 60, -51]);
    assert_eq!(
        refusal(fill_geometric(&mut Engine::new(0), &mut [0_i64], 1.0)),
        "geometric_ expects p to be in (0, 1), but got p=1"
    );
}
