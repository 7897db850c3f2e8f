/* SPDX-License-Identifier: Apache-2.0 */
/* Variables of netCDF and HDF5 files, where libnetcdf was there at build time. */
#include "input.h"

#ifndef FMC_CLI_NETCDF

bool cli_netcdf_open(const char *path, const char *variable, cli_input *input)
{
    (void)variable, (void)input;
    return cli_error("%s: this fmc was built without netCDF; rebuild with libnetcdf-dev installed (meson configure "
                     "-Dnetcdf=enabled) or save the variable as .npy",
                     path);
}

#else

#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct variable {
    const char *path, *name;
    int group, id, rank;
    nc_type type;
    uint64_t dim[FMC_MAX_RANK];
} variable;

static bool fail(const char *path, const char *name, int code)
{
    return cli_error("%s:%s: %s", path, name, nc_strerror(code));
}

/* Text such as "T, U, V" of the floating-point variables of a group. */
static void list_variables(int group, char *text, size_t size)
{
    char name[NC_MAX_NAME + 1];
    int n = 0;
    size_t used = 0;
    nc_type type = 0;
    text[0] = '\0';
    if (nc_inq_nvars(group, &n) != NC_NOERR)
        return;
    for (int i = 0; i < n && used + 40 < size; i++) {
        if (nc_inq_varname(group, i, name) != NC_NOERR || nc_inq_vartype(group, i, &type) != NC_NOERR)
            continue;
        if (type != NC_FLOAT && type != NC_DOUBLE)
            continue;
        const int length = snprintf(text + used, size - used, "%s%.32s", used ? ", " : "", name);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* Find v->name, which may be /group/name, below the file's root. */
static bool find_variable(int file, variable *v)
{
    char list[1024];
    const char *slash = strrchr(v->name, '/');
    const char *leaf = slash ? slash + 1 : v->name;
    char *groups = slash && slash > v->name ? strdup(v->name) : NULL;
    v->group = file;
    if (groups) {
        groups[slash - v->name] = '\0';
        const bool is_there = nc_inq_grp_full_ncid(file, groups, &v->group) == NC_NOERR;
        if (!is_there)
            cli_error("%s: has no group %s", v->path, groups);
        free(groups);
        if (!is_there)
            return false;
    }
    if (leaf[0] && nc_inq_varid(v->group, leaf, &v->id) == NC_NOERR)
        return true;
    list_variables(v->group, list, sizeof list);
    return cli_error("%s: name one of its floating-point variables (%s:NAME): %s", v->path, v->path,
                     list[0] ? list : "it has none at this level");
}

static bool check_type(const variable *v)
{
    if (v->type == NC_FLOAT || v->type == NC_DOUBLE)
        return true;
    return cli_error("%s:%s: samples are not float or double; unpack them first (as with 'ncpdq -U') or save them as "
                     "a float .npy",
                     v->path, v->name);
}

static bool describe(variable *v)
{
    int ids[FMC_MAX_RANK];
    int code = nc_inq_var(v->group, v->id, NULL, &v->type, &v->rank, NULL, NULL);
    if (code != NC_NOERR)
        return fail(v->path, v->name, code);
    if (!check_type(v))
        return false;
    if (v->rank < 1 || v->rank > FMC_MAX_RANK)
        return cli_error("%s:%s: has %d axes; 1 to %d can be compressed", v->path, v->name, v->rank, FMC_MAX_RANK);
    code = nc_inq_vardimid(v->group, v->id, ids);
    for (int a = 0; a < v->rank && code == NC_NOERR; a++) {
        size_t length = 0;
        code = nc_inq_dimlen(v->group, ids[a], &length);
        v->dim[a] = length;
    }
    return code == NC_NOERR || fail(v->path, v->name, code);
}

static void read_fill(const variable *v, cli_input *input)
{
    static const char *const names[] = { "_FillValue", "missing_value" };
    for (int i = 0; i < 2 && !input->has_fill; i++) {
        size_t n = 0;
        if (nc_inq_attlen(v->group, v->id, names[i], &n) != NC_NOERR || n != 1)
            continue;
        input->has_fill = nc_get_att_double(v->group, v->id, names[i], &input->fill) == NC_NOERR &&
                          input->fill == input->fill; /* NaN is missing data anyway */
    }
}

static bool read_samples(const variable *v, cli_input *input)
{
    const uint32_t dtype = v->type == NC_FLOAT ? FMC_F32 : FMC_F64;
    size_t size = 0;
    if (!cli_array_size(dtype, (uint32_t)v->rank, v->dim, &size) || (input->owned = malloc(size ? size : 1)) == NULL)
        return cli_error("%s:%s: does not fit in memory", v->path, v->name);
    const int code = size ? nc_get_var(v->group, v->id, input->owned) : NC_NOERR;
    if (code != NC_NOERR)
        return fail(v->path, v->name, code);
    fmc_array_init(&input->array, dtype, (uint32_t)v->rank, v->dim, input->owned);
    return true;
}

bool cli_netcdf_open(const char *path, const char *name, cli_input *input)
{
    int file = 0;
    variable v = { .path = path, .name = name };
    const int code = nc_open(path, NC_NOWRITE, &file);
    if (code != NC_NOERR)
        return cli_error("%s: %s", path, nc_strerror(code));
    const bool is_good = find_variable(file, &v) && describe(&v) && read_samples(&v, input);
    if (is_good)
        read_fill(&v, input);
    nc_close(file);
    return is_good;
}

#endif
