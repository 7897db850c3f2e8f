/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots of one real type, for an initialiser: FMC_SLOTS(f32, f32_avx2). Variants that have their own way of moving
 * lanes name it load_any, store_any and define FMC_HAS_ANY.
 */
#ifdef FMC_HAS_ANY
#define FMC_MOVE(verb, suffix) verb##_any_##suffix
#else
#define FMC_MOVE(verb, suffix) verb##_lanes_##suffix
#endif

#define FMC_SLOTS(type, suffix)                                                                                        \
    .lift_line_##type = lift_line_##suffix, .lift_forward_##type = lift_forward_##suffix,                                    \
    .lift_inverse_##type = lift_inverse_##suffix, .lift_long_forward_##type = lift_long_forward_##suffix,                    \
    .lift_long_inverse_##type = lift_long_inverse_##suffix, .scale_##type = scale_##suffix, .split_##type = split_##suffix, \
    .merge_##type = merge_##suffix, .mat_rows_##type = mat_rows_##suffix, .fft_pass_##type = fft_pass_##suffix,        \
    .dft_tail_##type = dft_tail_##suffix, .dft_head_##type = dft_head_##suffix, .dct_tail_##type = dct_tail_##suffix,  \
    .dct_head_##type = dct_head_##suffix,                                                                              \
    .load_lanes_##type = FMC_MOVE(load, suffix), .store_lanes_##type = FMC_MOVE(store, suffix),                              \
    .square_sum_##type = square_sum_##suffix, .error_sum_##type = error_sum_##suffix,                                  \
    .error_max_##type = error_max_##suffix, .quantize_##type = quantize_##suffix,                                    \
    .dequantize_##type = dequantize_##suffix, .pair_cost_##type = pair_cost_##suffix
