/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN 3.x (PyPI: onednn-cpu-gomp and onednn-devel-cpu-gomp): descriptors are opaque. */
#include <oneapi/dnnl/dnnl.h>

#define BACKEND_NAME "onednn3"
#define BACKEND_ORDER 10

typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_ref;
#define REF(l) (l)

static dnnl_status_t make_layout(layout *l, int n, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(l, n, dims, dnnl_f32, tag);
}

static void free_layout(layout *l)
{
    dnnl_memory_desc_destroy(*l);
}

static dnnl_status_t make_descriptor(dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout_ref from, layout_ref weight,
                                     layout_ref bias, layout_ref to, const dnnl_dims_t stride, const dnnl_dims_t pad,
                                     const_dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t dilation = { 0 };

    return dnnl_convolution_forward_primitive_desc_create(out, engine, dnnl_forward_inference, dnnl_convolution_direct, from,
                                                          weight, bias, to, stride, dilation, pad, pad, attr);
}

#include "onednn.h"
