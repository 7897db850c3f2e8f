/* SPDX-License-Identifier: Apache-2.0 */
/* Every public header compiles alone, as C++98 or later. Built with -DHEADER="<fmc/...>" once per header, and as it is. */
#ifdef HEADER
#include HEADER
#else
#include <fmc/fmc.h>
#endif

int fmc_header_compiles_as_cxx();

int fmc_header_compiles_as_cxx()
{
    return 0;
}
