/* Put together what chosen people have, cell by cell.
 *
 * Cells of text are runs of bytes without tabs and newlines. A row of them that comes
 * out has a tab before each cell and a newline behind the last; `ends` says where each
 * row ends. Nothing is read outside the sizes given, nothing written beyond `room`;
 * numbers of rows and columns are the caller's to check. Functions for text return how
 * many rows they wrote, or -1 for text that is not as said.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WIDE = 32, STEP = 192 };

static const char *find(const char *from, const char *end, char sign) {
    const char *found = memchr(from, sign, (size_t)(end - from));
    return found ? found : end;
}

/* Write one cell with its tab; return the new end, or NULL where there is no room. The
 * text that it is from ends at `end`. */
static char *put(char *out, const char *limit, const char *cell, size_t size,
                 const char *end) {
    if ((size_t)(limit - out) < size + 2) return NULL; /* with the newline of a row */
    *out++ = '\t';
    /* Cells are short: to copy a fixed size, and too much, is faster. */
    if (size <= WIDE && limit - out >= WIDE && end - cell >= WIDE)
        memcpy(out, cell, WIDE);
    else
        memcpy(out, cell, size);
    return out + size;
}

#ifdef __SSE2__
/* Return a bit for each of 64 bytes: whether it is the sign. */
static uint64_t marks(const char *from, char sign) {
    const __m128i wanted = _mm_set1_epi8(sign);
    uint64_t found = 0;
    for (int part = 0; part < 4; part++) {
        const __m128i some = _mm_loadu_si128((const __m128i *)from + part);
        const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(some, wanted));
        found |= (uint64_t)(unsigned)bits << 16 * part;
    }
    return found;
}
#endif

/* Note where `columns` cells of a line begin, and where one more would. Returns whether
 * there are so many. */
static int note(const char *at, const char *stop, size_t columns, const char **starts) {
    size_t noted = 0;
    if (!columns) return 0;
    starts[noted++] = at;
#ifdef __SSE2__
    for (; stop - at >= 64; at += 64)
        for (uint64_t tabs = marks(at, '\t'); tabs; tabs &= tabs - 1) {
            if (noted == columns) return 0;
            starts[noted++] = at + __builtin_ctzll(tabs) + 1;
        }
#endif
    for (; (at = find(at, stop, '\t')) < stop; at++) {
        if (noted == columns) return 0;
        starts[noted++] = at + 1;
    }
    starts[noted] = stop + 1;
    return noted == columns;
}

/* From lines of `columns` cells, tabs between them, take those at `places`, in their
 * order. An empty line gives an empty row. `starts` has room for columns + 1. */
int64_t pick(const char *text, size_t size, size_t columns, const int64_t *places,
             size_t chosen, const char **starts, char *out, size_t room,
             int64_t *ends, size_t rows) {
    const char *line = text, *end = text + size, *limit = out + room;
    char *to = out;
    for (size_t row = 0; row < rows; row++) {
        if (line > end) return -1;
        const char *stop = find(line, end, '\n');
        if (stop > line) {
            if (!note(line, stop, columns, starts)) return -1;
            for (size_t each = 0; each < chosen; each++) {
                const char *const *cell = starts + places[each];
                to = put(to, limit, cell[0], (size_t)(cell[1] - cell[0] - 1), end);
                if (!to) return -1;
            }
            *to++ = '\n';
        }
        ends[row] = to - out;
        line = stop + 1;
    }
    return line == end + 1 ? (int64_t)rows : -1;
}

/* From texts of one cell a line, one text a person, write the lines [first, last) as
 * rows, people in the order of the texts. `at` has room for each text. */
int64_t lay(const char *const *texts, const size_t *sizes, size_t chosen, size_t first,
            size_t last, const char **at, char *out, size_t room, int64_t *ends) {
    const char *limit = out + room;
    char *to = out;
    for (size_t each = 0; each < chosen; each++) {
        const char *end = texts[each] + sizes[each];
        at[each] = texts[each];
        for (size_t row = 0; row < first; row++) {
            at[each] = find(at[each], end, '\n') + 1;
            if (at[each] > end) return -1;
        }
    }
    for (size_t row = first; row < last; row++) {
        for (size_t each = 0; each < chosen; each++) {
            const char *end = texts[each] + sizes[each];
            if (at[each] > end) return -1;
            const char *stop = find(at[each], end, '\n');
            to = put(to, limit, at[each], (size_t)(stop - at[each]), end);
            if (!to) return -1;
            at[each] = stop + 1;
        }
        *to++ = '\n';
        ends[row - first] = to - out;
    }
    return (int64_t)(last - first);
}

/* Tables of one byte a cell, which stand side by side: `widths` of them make a row. */
typedef struct {
    const uint8_t *const *starts;
    const size_t *widths;
    size_t count;
} Tables;

/* Copy the columns `picked` of a row; `whole` has room for a row of all tables. */
static void choose(Tables tables, size_t row, const uint32_t *restrict picked,
                   size_t chosen, uint8_t *restrict whole, uint8_t *restrict out) {
    uint8_t *to = whole;
    for (size_t table = 0; table < tables.count; table++) {
        const size_t width = tables.widths[table];
        memcpy(to, tables.starts[table] + row * width, width);
        to += width;
    }
    for (size_t each = 0; each < chosen; each++) out[each] = whole[picked[each]];
}

/* Codes of genotypes and bits of flags, as in genomics/columnar/codes.py. */
enum { MIXED = 16, HAS_MISSING = 32 };
enum { BOTH_MISSING = 1, FIRST_WITH_ALT = 4, HOMOZYGOUS = 8, PAIR = 127, PAIRS = 128 };
enum { ALTS = 9, CALLED = 9, SAMPLES = 10, TALLIES = 11, NO_ALLELE = 10 };

/* The highest code of a row, and how many samples are 0/0 and 1/1 in it. */
typedef struct {
    uint8_t highest;
    size_t reference, homozygous;
} Survey;

/* Look at a row once, in steps that a compiler makes wide: a byte counts each. */
static Survey survey(const uint8_t *codes, size_t count, uint8_t mask) {
    Survey seen = {0, 0, 0};
    while (count) {
        const size_t step = count < STEP ? count : STEP;
        uint8_t highest = 0, reference = 0, homozygous = 0;
        for (size_t each = 0; each < step; each++) {
            const uint8_t code = codes[each] & mask;
            highest = code > highest ? code : highest;
            reference += code == 0;
            homozygous += code == HOMOZYGOUS;
        }
        if (highest > seen.highest) seen.highest = highest;
        seen.reference += reference;
        seen.homozygous += homozygous;
        codes += step;
        count -= step;
    }
    return seen;
}

/* Count ALT alleles 1 to 9, all alleles and samples with one in a row of codes. */
static void count(const uint8_t *codes, size_t chosen, uint8_t mask,
                  const uint8_t *alleles, int32_t *tallies) {
    int32_t times[PAIRS] = {0};
    for (size_t each = 0; each < chosen; each++) times[codes[each] & mask & PAIR]++;
    for (size_t code = 0; code < PAIRS; code++)
        for (size_t half = 0; times[code] && half < 2; half++) {
            const uint8_t allele = alleles[2 * code + half];
            if (allele >= NO_ALLELE) continue;
            if (allele > 0) tallies[allele - 1] += times[code];
            tallies[CALLED] += times[code];
        }
    tallies[SAMPLES] = (int32_t)chosen - times[BOTH_MISSING];
}

/* Of `rows`, find those in which somebody chosen has an ALT allele: their places among
 * the rows, their codes behind one another, and what INFO counts. `alleles` are two for
 * each of 128 codes. Returns how many there are. */
int64_t find_carried(const uint8_t *const *starts, const size_t *widths, size_t tables,
                     const int64_t *rows, const uint8_t *flags, size_t wanted,
                     const uint32_t *picked, size_t chosen, const uint8_t *alleles,
                     uint8_t *whole, int64_t *found, uint8_t *codes, int32_t *tallies) {
    const Tables from = {starts, widths, tables};
    int64_t carried = 0;
    for (size_t each = 0; each < wanted; each++) {
        choose(from, (size_t)rows[each], picked, chosen, whole, codes);
        const uint8_t mask = flags[each] & MIXED ? PAIR : UINT8_MAX;
        const Survey seen = survey(codes, chosen, mask);
        if (seen.highest < FIRST_WITH_ALT) continue;
        memset(tallies, 0, TALLIES * sizeof *tallies);
        if (!(flags[each] & (MIXED | HAS_MISSING)) && seen.highest <= HOMOZYGOUS) {
            /* 0/0, 0/1 and 1/1 */
            tallies[0] = (int32_t)(chosen - seen.reference + seen.homozygous);
            tallies[CALLED] = 2 * (int32_t)chosen;
            tallies[SAMPLES] = (int32_t)chosen;
        } else {
            count(codes, chosen, mask, alleles, tallies);
        }
        found[carried++] = (int64_t)each;
        codes += chosen;
        tallies += TALLIES;
    }
    return carried;
}

/* Copy the chosen cells of one row. */
void gather(const uint8_t *const *starts, const size_t *widths, size_t tables, size_t row,
            const uint32_t *picked, size_t chosen, uint8_t *whole, uint8_t *cells) {
    choose((Tables){starts, widths, tables}, row, picked, chosen, whole, cells);
}

/* Of `rows`, return the bits that every chosen cell has. */
void find_common(const uint8_t *const *starts, const size_t *widths, size_t tables,
                 const int64_t *rows, size_t wanted, const uint32_t *picked,
                 size_t chosen, uint8_t *whole, uint8_t *cells, uint8_t *common) {
    const Tables from = {starts, widths, tables};
    for (size_t each = 0; each < wanted; each++) {
        choose(from, (size_t)rows[each], picked, chosen, whole, cells);
        uint8_t bits = UINT8_MAX;
        for (size_t column = 0; column < chosen; column++) bits &= cells[column];
        common[each] = bits;
    }
}

/* Write rows of codes as text: four bytes a cell, its tab among them, by the first of two
 * tables or, where `is_second`, by the other. */
void spell(const uint8_t *codes, size_t rows, size_t chosen, const uint8_t *is_second,
           const uint32_t *first, const uint32_t *second, uint8_t *out) {
    for (size_t row = 0; row < rows; row++) {
        const uint32_t *table = is_second[row] ? second : first;
        for (size_t each = 0; each < chosen; each++, out += sizeof *table)
            memcpy(out, table + *codes++, sizeof *table);
        *out++ = '\n';
    }
}
