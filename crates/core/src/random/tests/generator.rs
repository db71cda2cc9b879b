//! Generators, their state bytes and the default one.

use super::super::{
    DEFAULT_SEED, Engine, Generator, STATE_BYTES, fill_normal, fork_rng, get_rng_state, initial_seed, manual_seed,
    set_rng_state,
};
use super::refusal;

#[test]
fn the_state_is_pytorchs_byte_for_byte() {
    // manual_seed(-3), 630 float32 uniforms, one scalar normal.
    let generator = Generator::new().manual_seed(-3);
    {
        let mut engine = generator.lock();
        for _ in 0..630 {
            engine.random();
        }
        engine.standard_normal();
    }
    let state = generator.get_state();
    assert_eq!(state.len(), STATE_BYTES);
    assert_eq!(state[..8], (-3_i64).to_le_bytes());
    assert_eq!(state[8..24], [0x67, 2, 0, 0, 1, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0, 0]);
    let hash = state.iter().fold(0_u64, |hash, &byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    assert_eq!(hash, 0xD63D_2FE3_6020_1C46);

    let restored = Generator::new();
    restored.set_state(&state).unwrap();
    let mut two = [0.0_f32; 2];
    fill_normal(&mut restored.lock(), &mut two, 0.0, 1.0, true).unwrap();
    assert_eq!(two.map(f32::to_bits), [0xBE90_312F, 0x3F8E_C557]);
}

#[test]
fn states_that_no_twister_has_are_refused_and_change_nothing() {
    let generator = Generator::new();
    let good = generator.get_state();
    assert_eq!(
        refusal(generator.set_state(&good[..5048])),
        "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be \
         5048"
    );
    for (at, value) in [(8, 0_i32), (8, 625), (8, -3), (12, 0), (16, 625)] {
        let mut state = good.clone();
        state[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(refusal(generator.set_state(&state)), "Invalid mt19937 state");
    }
    assert_eq!(generator.get_state(), good);
}

#[test]
fn counters_that_do_not_belong_together_do_not_read_outside() {
    let mut state = Engine::new(1).to_bytes();
    state[8..12].copy_from_slice(&600_i32.to_le_bytes());
    state[16..20].copy_from_slice(&620_i32.to_le_bytes());
    let mut single = Engine::from_bytes(&state).unwrap();
    let mut bulk = single.clone();
    let mut values = [0.0_f32; 64];
    super::super::fill_uniform(&mut bulk, &mut values, 0.0, 1.0).unwrap();
    assert!(values.iter().all(|&value| value == single.uniform_f32()));
}

#[test]
fn seeding_restarts_and_forgets_the_kept_normal() {
    let generator = Generator::new();
    assert_eq!(generator.initial_seed(), DEFAULT_SEED);
    generator.lock().standard_normal();
    generator.manual_seed(DEFAULT_SEED);
    assert_eq!(*generator.lock(), Engine::new(DEFAULT_SEED));
    assert_eq!(generator.manual_seed(-1).initial_seed(), u64::MAX);
    let chosen = generator.seed();
    assert_eq!(generator.initial_seed(), chosen);
    assert!(chosen < 1 << 53);
    assert_ne!(generator.seed(), chosen);
}

#[test]
fn clones_share_a_state_and_clone_state_does_not() {
    let generator = Generator::new();
    let (same, other) = (generator.clone(), generator.clone_state());
    assert!(generator.same(&same) && !generator.same(&other));
    let first = generator.lock().random();
    let second = same.lock().random();
    assert_ne!(first, second);
    assert_eq!(other.lock().random(), first);
}

#[test]
fn the_default_generator_is_seeded_saved_and_forked() {
    // One test for all of it: the generator is the process's.
    let outer = fork_rng();
    let generator = manual_seed(0);
    assert_eq!(initial_seed(), 0);
    assert_eq!(generator.lock().uniform_f32(), 0.496_256_6);
    let state = get_rng_state();
    let next = generator.lock().random();
    {
        let _fork = fork_rng();
        manual_seed(77);
    }
    assert_ne!(generator.lock().random(), next);
    set_rng_state(&state).unwrap();
    assert_eq!(generator.lock().random(), next);
    drop(outer);
    assert_ne!(initial_seed(), 77);
}
