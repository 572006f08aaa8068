/* Place records in a file of BGZF blocks, and in the bins of a tabix index.
 *
 * Positions are 0-based and half-open, offsets virtual: where a block begins in the
 * file, shifted by 16, and a place in its text. Arrays have room for what is said.
 * Sources: SAM specification, sections 4.1.1 and 5.3; "The Tabix index file format".
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_LIMIT = 1 << 16 };                   /* bytes of a block, packed or not */
static const int64_t FILE_LIMIT = (int64_t)1 << 47; /* bytes that offsets reach */

/* Of records with POS (1-based), last base and bytes of text, one behind the other in
 * blocks of `block` bytes of text, write where each is in the genome and in the file.
 * The blocks begin at `base` and have these sizes. Returns 0, or -1 where blocks are
 * none, have not just room for the text, or lie where no offset reaches. */
int place(const int64_t *records, size_t count, const int64_t *sizes, size_t blocks,
          int64_t base, int64_t block, int64_t *starts, int64_t *ends, int64_t *opens,
          int64_t *closes) {
    int64_t at = base, inside = 0; /* of the block and in its text */
    size_t number = 0;
    if (block <= 0 || block > BLOCK_LIMIT || base < 0 || base >= FILE_LIMIT) return -1;
    for (size_t each = 0; each < blocks; each++) {
        if (sizes[each] <= 0 || sizes[each] > BLOCK_LIMIT) return -1;
        base += sizes[each];
        if (base >= FILE_LIMIT) return -1;
    }
    for (size_t each = 0; each < count; each++, records += 3) {
        /* A telomere stands at 0, before the first base, where an index has no place. */
        const int64_t pos = records[0] > 1 ? records[0] : 1;
        if (number >= blocks || records[2] <= 0 || records[2] > INT64_MAX - block)
            return -1;
        starts[each] = pos - 1;
        ends[each] = records[1] > pos ? records[1] : pos;
        opens[each] = at << 16 | inside;
        for (inside += records[2]; inside >= block; inside -= block) {
            if (number >= blocks) return -1;
            at += sizes[number++];
        }
        /* A record ends where the next begins, the last with its block. */
        closes[each] = at << 16 | inside;
    }
    const size_t needed = number + (inside > 0);
    if (needed != blocks) return -1;
    if (inside > 0) at += sizes[number];
    if (count) closes[count - 1] = at << 16;
    return 0;
}

enum { LEVELS = 6, BINS = 37450 };

/* The smallest bin that holds [start, end), for an end of 2^29 at most. */
static uint32_t bin_of(int64_t start, int64_t end) {
    static const struct { uint32_t first; int shift; } levels[LEVELS] = {
        {4681, 14}, {585, 17}, {73, 20}, {9, 23}, {1, 26}, {0, 29}};
    for (size_t level = 0; level < LEVELS - 1; level++) {
        const int shift = levels[level].shift;
        if (start >> shift == (end - 1) >> shift)
            return levels[level].first + (uint32_t)(start >> shift);
    }
    return 0;
}

/* Write the chunks of records by bin, in the order of the bins: the bin of each, where
 * it opens and where it closes. A chunk goes on where the bin does and no whole block
 * lies between. `order` has room for a number of each record, `begins` for one of each
 * bin and one more. Returns how many chunks there are, -1 for a record beyond
 * 2^29, or more of them than 32 bits number. */
int64_t chunk(const int64_t *starts, const int64_t *ends, const int64_t *opens,
              const int64_t *closes, size_t count, uint32_t *order, uint32_t *begins,
              uint32_t *bins, int64_t *chunks) {
    if (count > UINT32_MAX) return -1;
    memset(begins, 0, (BINS + 1) * sizeof *begins);
    for (size_t each = 0; each < count; each++) {
        if (starts[each] < 0 || ends[each] <= starts[each] || ends[each] > 1 << 29)
            return -1;
        begins[bin_of(starts[each], ends[each]) + 1]++;
    }
    for (size_t bin = 0; bin < BINS; bin++) begins[bin + 1] += begins[bin];
    for (size_t each = 0; each < count; each++)
        order[begins[bin_of(starts[each], ends[each])]++] = (uint32_t)each;
    int64_t made = 0;
    for (size_t each = 0; each < count; each++) {
        const uint32_t record = order[each];
        const uint32_t bin = bin_of(starts[record], ends[record]);
        if (!made || bins[made - 1] != bin ||
            chunks[2 * made - 1] >> 16 < opens[record] >> 16) {
            bins[made] = bin;
            chunks[2 * made++] = opens[record];
        }
        chunks[2 * made - 1] = closes[record];
    }
    return made;
}

/* Write the offset of the first record that reaches into each window of 16 kb; one
 * that none does has that of the next. So it is the first of all that end there or
 * behind. `windows` has room for 2^15. Returns how many there are, up to the last that
 * a record reaches, or -1 for a record beyond 2^29. */
int64_t reach(const int64_t *ends, const int64_t *opens, size_t count,
              int64_t *windows) {
    int64_t made = 0;
    for (size_t each = 0; each < count; each++) {
        if (ends[each] <= 0 || ends[each] > 1 << 29) return -1;
        const int64_t window = (ends[each] - 1) >> 14;
        while (made <= window) windows[made++] = INT64_MAX;
        if (opens[each] < windows[window]) windows[window] = opens[each];
    }
    for (int64_t each = made; each-- > 1;)
        if (windows[each] < windows[each - 1]) windows[each - 1] = windows[each];
    return made;
}
