/* SPDX-License-Identifier: Apache-2.0 */
/* Every public header compiles alone, as strict C99. Built with -DHEADER="<fmc/...>" once per header, and as it is. */
#ifdef HEADER
#include HEADER
#else
#include <fmc/fmc.h>
#endif

int fmc_header_compiles_as_c99(void);

int fmc_header_compiles_as_c99(void)
{
    return 0;
}
