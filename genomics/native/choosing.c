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

static const char *find(const char *from, const char *end, char sign) {
    const char *found = memchr(from, sign, (size_t)(end - from));
    return found ? found : end;
}

/* Write one cell with its tab; return the new end, or NULL where there is no room. */
static char *put(char *out, const char *limit, const char *cell, size_t size) {
    if ((size_t)(limit - out) < size + 2) return NULL; /* with the newline of a row */
    *out = '\t';
    memcpy(out + 1, cell, size);
    return out + 1 + size;
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
            const char *at = line;
            for (size_t column = 0; column < columns; column++) {
                if (at > stop) return -1;
                starts[column] = at;
                at = find(at, stop, '\t') + 1;
            }
            if (at != stop + 1) return -1;
            starts[columns] = at;
            for (size_t each = 0; each < chosen; each++) {
                const char *const *cell = starts + places[each];
                to = put(to, limit, cell[0], (size_t)(cell[1] - cell[0] - 1));
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
            to = put(to, limit, at[each], (size_t)(stop - at[each]));
            if (!to) return -1;
            at[each] = stop + 1;
        }
        *to++ = '\n';
        ends[row - first] = to - out;
    }
    return (int64_t)(last - first);
}

/* From tables of one byte a cell, which stand side by side, take `rows` and of each the
 * columns `picked`. `row` has room for a row of all tables. */
void gather(const uint8_t *const *tables, const size_t *widths, size_t count,
            const int64_t *rows, size_t wanted, const uint32_t *picked, size_t chosen,
            uint8_t *row, uint8_t *out) {
    for (size_t each = 0; each < wanted; each++, out += chosen) {
        uint8_t *to = row;
        for (size_t table = 0; table < count; table++) {
            const size_t width = widths[table];
            memcpy(to, tables[table] + (size_t)rows[each] * width, width);
            to += width;
        }
        for (size_t column = 0; column < chosen; column++)
            out[column] = row[picked[column]];
    }
}
