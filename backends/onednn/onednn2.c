/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN 2.x (Debian 12: libdnnl-dev): layouts and operations are described by structs. */
#include <dnnl.h>

#define BACKEND_NAME "onednn2"
#define BACKEND_ORDER 20

typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_ref;
#define REF(l) (&(l))

static dnnl_status_t make_layout(layout *l, int n, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(l, n, dims, dnnl_f32, tag);
}

static void free_layout(layout *l)
{
    (void)l;
}

static dnnl_status_t make_descriptor(dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout_ref from, layout_ref weight,
                                     layout_ref bias, layout_ref to, const dnnl_dims_t stride, const dnnl_dims_t pad,
                                     const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t d;
    const dnnl_status_t st = dnnl_convolution_forward_desc_init(&d, dnnl_forward_inference, dnnl_convolution_direct, from,
                                                                weight, bias, to, stride, pad, pad);

    return st == dnnl_success ? dnnl_primitive_desc_create(out, &d, attr, engine, NULL) : st;
}

#include "onednn.h"
