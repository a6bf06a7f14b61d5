/* Unpacks stored media updates and frames them as `framer.py` does, byte for byte, at a fraction of the cost.
 *
 * Compiled by `compiling.py` where there is a C compiler; nothing needs it. It judges nothing that is out of the ordinary: a
 * record that is not in the plain form below is left to `framer.py`, so there is one place that says what is an event and what
 * is a gap. Plain is less than what `framer.py` accepts, never more:
 *
 *   value    one JSON object (RFC 8259), nested at most DEPTH deep, numbers of at most DIGITS digits, no escaped surrogates; of
 *            the members that count (`media_update` below) none twice, and each of its type
 *   headers  a `ce_id` of letters, digits and -_.: , a `ce_time` as `schemas.times.iso` writes it, a schema version of 1
 *
 * Records are packed as Kafka's protocol guide says (Record Batch, version 2). What is not packed so is a ValueError.
 *
 * It reads within the bounds of the bytes it is given and recurses at most DEPTH times, whatever they are.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define DEPTH 32
#define DIGITS 18
#define MEMO 1024
#define PIECES 7
#define CHUNK_RECORDS 256 /* half a millisecond */
#define CHUNK_BYTES 131072

typedef unsigned char byte;

/* JSON */

typedef struct {
    const byte *at, *end;
    int wide; /* bytes beyond ASCII were seen, in strings: the caller checks that they are UTF-8 */
} Text;

typedef struct Member Member;
struct Member {
    const char *name;
    size_t size;
    Member *members; /* of an object whose members count too */
    size_t count;
    const byte *start, *end; /* the text of its value; NULL: there is none */
};

static int read_value(Text *text, int depth);

static void skip_space(Text *text) {
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\r' || *text->at == '\t'))
        text->at++;
}

static int next_is(Text *text, byte wanted) {
    skip_space(text);
    if (text->at == text->end || *text->at != wanted) return 0;
    text->at++;
    return 1;
}

static int is_digit(byte c) { return c >= '0' && c <= '9'; }

static int is_hex(byte c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

#define EACH(c) (0x0101010101010101ULL * (c))
#define ZERO_BYTES(word) (((word) - EACH(1)) & ~(word) & EACH(0x80))

/* True if one of eight bytes is a quote, a backslash, a control character or beyond ASCII; may be true for others. */
static int is_special(const byte *eight) {
    uint64_t word;
    memcpy(&word, eight, 8);
    return ((word & EACH(0x80)) | ZERO_BYTES(word ^ EACH('"')) | ZERO_BYTES(word ^ EACH('\\'))
            | ((word - EACH(0x20)) & ~word & EACH(0x80))) != 0;
}

/* Behind an opening quote; `escaped`: it has a backslash. */
static int read_string(Text *text, int *escaped) {
    const byte *at = text->at, *end = text->end;
    for (;;) {
        while (end - at >= 8 && !is_special(at)) at += 8;
        if (at == end) return 0;
        byte c = *at++;
        if (c == '"') {
            text->at = at;
            return 1;
        }
        if (c >= 0x80) {
            text->wide = 1;
        } else if (c < 0x20) {
            return 0;
        } else if (c == '\\') {
            *escaped = 1;
            if (at == end) return 0;
            c = *at++;
            if (c == 'u') {
                if (end - at < 4 || !is_hex(at[0]) || !is_hex(at[1]) || !is_hex(at[2]) || !is_hex(at[3])) return 0;
                if ((at[0] == 'd' || at[0] == 'D') && at[1] >= '8') return 0; /* a surrogate, alone or not */
                at += 4;
            } else if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
                return 0;
            }
        }
    }
}

static int read_digits(Text *text) {
    const byte *start = text->at;
    while (text->at < text->end && is_digit(*text->at)) text->at++;
    return text->at > start && text->at - start <= DIGITS;
}

static int read_number(Text *text) {
    if (*text->at == '-') text->at++;
    if (text->at == text->end) return 0;
    if (*text->at == '0')
        text->at++;
    else if (!read_digits(text))
        return 0;
    if (text->at < text->end && *text->at == '.') {
        text->at++;
        if (!read_digits(text)) return 0;
    }
    return text->at == text->end || (*text->at != 'e' && *text->at != 'E' && !is_digit(*text->at));
}

static int read_word(Text *text, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(text->end - text->at) < size || memcmp(text->at, word, size)) return 0;
    text->at += size;
    return 1;
}

/* Behind an opening brace. */
static int read_object(Text *text, int depth, Member *members, size_t count) {
    if (next_is(text, '}')) return 1;
    do {
        if (!next_is(text, '"')) return 0;
        const byte *name = text->at;
        int escaped = 0;
        if (!read_string(text, &escaped)) return 0;
        size_t size = (size_t)(text->at - name) - 1;
        if (escaped && count) return 0; /* it might be the name of one that counts */
        if (!next_is(text, ':')) return 0;
        skip_space(text);
        Member *member = NULL;
        for (size_t i = 0; i < count && member == NULL; i++)
            if (members[i].size == size && !memcmp(members[i].name, name, size)) member = &members[i];
        if (member == NULL) {
            if (!read_value(text, depth)) return 0;
            continue;
        }
        if (member->start != NULL) return 0; /* twice */
        member->start = text->at;
        if (member->members != NULL) {
            if (!depth || !next_is(text, '{') || !read_object(text, depth - 1, member->members, member->count)) return 0;
        } else if (!read_value(text, depth)) {
            return 0;
        }
        member->end = text->at;
    } while (next_is(text, ','));
    return next_is(text, '}');
}

static int read_value(Text *text, int depth) {
    int escaped = 0;
    if (text->at == text->end || !depth) return 0;
    switch (*text->at) {
        case '"': text->at++; return read_string(text, &escaped);
        case '{': text->at++; return read_object(text, depth - 1, NULL, 0);
        case '[':
            text->at++;
            if (next_is(text, ']')) return 1;
            do {
                skip_space(text);
                if (!read_value(text, depth - 1)) return 0;
            } while (next_is(text, ','));
            return next_is(text, ']');
        case 't': return read_word(text, "true");
        case 'f': return read_word(text, "false");
        case 'n': return read_word(text, "null");
        default: return (*text->at == '-' || is_digit(*text->at)) && read_number(text);
    }
}

/* A media update (`schemas.media.MediaUpdateWire`) */

enum { ROOT, MEDIA_TYPE, OF_MEDIA };
enum { WAS_ROOT, OF_WAS };
enum { ACTION, MEDIA_ID, MEDIA, WAS, ANALYSIS_ID, OF_UPDATE };

#define MEMBER(text) {.name = text, .size = sizeof(text) - 1}
#define OBJECT(text, inner, number) {.name = text, .size = sizeof(text) - 1, .members = inner, .count = number}

typedef struct {
    byte bytes[MEMO];
    size_t size;
} Memo; /* what decides who sees an update, as it is written: equal ones are about the same */

static int remember(Memo *memo, const byte *start, size_t size) {
    if (memo->size + sizeof(size) + size > MEMO) return 0;
    memcpy(memo->bytes + memo->size, &size, sizeof(size));
    if (size) memcpy(memo->bytes + memo->size + sizeof(size), start, size);
    memo->size += sizeof(size) + size;
    return 1;
}

static int remember_scalar(Memo *memo, const Member *member) {
    if (member->start == NULL) return remember(memo, NULL, 0);
    if (*member->start == '{' || *member->start == '[') return 0;
    return remember(memo, member->start, (size_t)(member->end - member->start));
}

/* True for the plain form of one; `wide`: to be checked as UTF-8. */
static int media_update(const byte *value, size_t size, Memo *memo, int *wide) {
    Member of_media[OF_MEDIA] = {[ROOT] = MEMBER("storage_root"), [MEDIA_TYPE] = MEMBER("media_type")};
    Member of_was[OF_WAS] = {[WAS_ROOT] = MEMBER("storage_root")};
    Member update[OF_UPDATE] = {
        [ACTION] = MEMBER("action"),
        [MEDIA_ID] = MEMBER("media_id"),
        [MEDIA] = OBJECT("media", of_media, OF_MEDIA),
        [WAS] = OBJECT("was", of_was, OF_WAS),
        [ANALYSIS_ID] = MEMBER("analysis_id"),
    };
    Text text = {value, value + size, 0};
    if (!next_is(&text, '{') || !read_object(&text, DEPTH, update, OF_UPDATE)) return 0;
    skip_space(&text);
    if (text.at != text.end) return 0;
    *wide = text.wide;
    if (update[MEDIA].start == NULL || update[ACTION].start == NULL || *update[ACTION].start != '"') return 0;
    if (update[ANALYSIS_ID].start != NULL && *update[ANALYSIS_ID].start != '"') return 0;
    const byte *at = update[MEDIA_ID].start;
    if (at == NULL) return 0;
    if (*at == '-') at++;
    while (at < update[MEDIA_ID].end && is_digit(*at)) at++;
    if (at != update[MEDIA_ID].end) return 0;
    return remember_scalar(memo, &of_media[ROOT]) && remember_scalar(memo, &of_was[WAS_ROOT])
        && remember_scalar(memo, &of_media[MEDIA_TYPE]) && remember_scalar(memo, &update[ACTION]);
}

/* Packed records */

typedef struct {
    const byte *bytes; /* NULL: null */
    size_t size;
} Bytes;

typedef struct {
    long long offset, timestamp;
    Bytes key, value;
    const byte *headers; /* packed */
    long long header_count;
    Bytes id, time;
    int plain; /* its headers are */
} Record;

typedef struct {
    const byte *at, *end;
} Packed;

/* A zigzag varint of at most 64 bits. */
static int read_varint(Packed *packed, long long *number) {
    unsigned long long read = 0;
    for (int shift = 0; shift < 64 && packed->at < packed->end; shift += 7) {
        byte c = *packed->at++;
        read |= (unsigned long long)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *number = (long long)(read >> 1) ^ -(long long)(read & 1);
            return 1;
        }
    }
    return 0;
}

static int read_bytes(Packed *packed, Bytes *bytes) {
    long long size;
    if (!read_varint(packed, &size) || size > packed->end - packed->at) return 0;
    bytes->bytes = size < 0 ? NULL : packed->at;
    bytes->size = size < 0 ? 0 : (size_t)size;
    packed->at += bytes->size;
    return 1;
}

static int is_plain_id(const Bytes *id) {
    int plain = id->size > 0;
    for (size_t i = 0; i < id->size; i++) {
        byte c = id->bytes[i], letter = c | 0x20;
        plain &= (letter >= 'a' && letter <= 'z') | (c >= '-' && c <= ':' && c != '/') | (c == '_');
    }
    return plain;
}

static int two(const byte *at) { return (at[0] - '0') * 10 + at[1] - '0'; }

/* 2026-11-24T10:30:00.123Z, but for the last days of a month and the year 0. */
static int is_plain_time(const Bytes *time) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (time->size != sizeof(form) - 1) return 0;
    const byte *at = time->bytes;
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? !is_digit(at[i]) : at[i] != form[i]) return 0;
    int month = two(at + 5), day = two(at + 8);
    return memcmp(at, "0000", 4) && month >= 1 && month <= 12 && day >= 1 && day <= 28 && two(at + 11) < 24
        && two(at + 14) < 60 && two(at + 17) < 60;
}

#define IS(name, text) ((name).size == sizeof(text) - 1 && !memcmp((name).bytes, text, sizeof(text) - 1))

/* Of several headers of one name the last counts. */
static int read_headers(Packed *packed, Record *record) {
    record->plain = 1;
    record->id = record->time = (Bytes){NULL, 0};
    for (long long i = 0; i < record->header_count; i++) {
        Bytes name, value;
        if (!read_bytes(packed, &name) || name.bytes == NULL || !read_bytes(packed, &value)) return 0;
        if (value.bytes == NULL) {
            record->plain = 0;
        } else if (IS(name, "ce_id")) {
            record->id = value;
        } else if (IS(name, "ce_time")) {
            record->time = value;
        } else if (IS(name, "schema-version")) {
            if (value.size != 1 || value.bytes[0] != '1') record->plain = 0;
        } else if (IS(name, "ce_dataschema")) {
            if (value.size < 2 || memcmp(value.bytes + value.size - 2, ":1", 2)) record->plain = 0;
        }
        for (size_t j = 0; j < name.size; j++)
            if (name.bytes[j] >= 0x80) record->plain = 0; /* it may not be UTF-8 */
    }
    if (record->plain) record->plain = is_plain_id(&record->id) && is_plain_time(&record->time);
    return 1;
}

typedef struct {
    long long base_offset, first_timestamp, append_time;
    int has_append_time;
} Base;

static int add(long long *sum, long long number) { return !__builtin_add_overflow(*sum, number, sum); }

static int read_record(Packed *packed, const Base *base, Record *record) {
    long long size, timestamp, offset;
    if (!read_varint(packed, &size) || size < 1 || size > packed->end - packed->at) return 0;
    Packed own = {packed->at, packed->at + size};
    packed->at = own.end;
    own.at++; /* attributes, which have no meaning yet */
    if (!read_varint(&own, &timestamp) || !read_varint(&own, &offset)) return 0;
    if (!add(&timestamp, base->first_timestamp) || !add(&offset, base->base_offset)) return 0;
    record->timestamp = base->has_append_time ? base->append_time : timestamp;
    record->offset = offset;
    if (!read_bytes(&own, &record->key) || !read_bytes(&own, &record->value)) return 0;
    if (!read_varint(&own, &record->header_count) || record->header_count < 0) return 0;
    record->headers = own.at;
    return read_headers(&own, record) && own.at == own.end;
}

/* Frames */

typedef struct {
    Bytes pieces[PIECES];
    size_t count;
    char partition[24];
    size_t partition_size;
} Form;

/* At most 20 characters; their number. */
static size_t write_digits(char *at, long long number) {
    char reversed[20];
    size_t size = 0, sign = number < 0;
    unsigned long long rest = sign ? 0 - (unsigned long long)number : (unsigned long long)number;
    do reversed[size++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (sign) *at++ = '-';
    for (size_t i = 0; i < size; i++) at[i] = reversed[size - 1 - i];
    return size + sign;
}

static char *put(char *at, const void *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static char *put_text(char *at, const Bytes *text) {
    *at++ = '"';
    at = put(at, text->bytes, text->size);
    *at++ = '"';
    return at;
}

static PyObject *frame(const Form *form, const Record *record) {
    char digits[24];
    size_t size = write_digits(digits, record->offset);
    const Bytes *piece = form->pieces;
    size_t values = form->count - 5;
    size_t total = values * record->value.size + record->time.size + record->id.size + 4 + form->partition_size + size;
    for (size_t i = 0; i < form->count; i++) total += form->pieces[i].size;
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
    if (made == NULL) return NULL;
    char *at = PyBytes_AS_STRING(made);
    for (size_t i = 0; i < values; i++, piece++) {
        at = put(at, piece->bytes, piece->size);
        at = put(at, record->value.bytes, record->value.size);
    }
    at = put(at, piece->bytes, piece->size), piece++;
    at = put_text(at, &record->time);
    at = put(at, piece->bytes, piece->size), piece++;
    at = put(at, form->partition, form->partition_size);
    at = put(at, piece->bytes, piece->size), piece++;
    at = put(at, digits, size);
    at = put(at, piece->bytes, piece->size), piece++;
    at = put_text(at, &record->id);
    at = put(at, piece->bytes, piece->size);
    if (at != PyBytes_AS_STRING(made) + total) Py_FatalError("a frame of another length than its parts");
    return made;
}

typedef struct {
    Memo memo;
    PyObject *about; /* borrowed from the dict; NULL: none yet */
} Last;

/* A plain record's frame and what it is about; NULL without an error set if it is left, and its memo then, if it has one. */
static PyObject *framed(const Form *form, const Record *record, PyObject *known, Last *last, PyObject **about, PyObject **memo) {
    Memo own = {.size = 1};
    int wide = 0;
    own.bytes[0] = record->key.bytes == NULL;
    if (!record->plain || record->value.bytes == NULL || !remember(&own, record->key.bytes, record->key.size)
        || !media_update(record->value.bytes, record->value.size, &own, &wide))
        return NULL;
    if (wide) {
        PyObject *text = PyUnicode_DecodeUTF8((const char *)record->value.bytes, (Py_ssize_t)record->value.size, "strict");
        if (text == NULL) {
            if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) PyErr_Clear();
            return NULL;
        }
        Py_DECREF(text);
    }
    if (last->about == NULL || last->memo.size != own.size || memcmp(last->memo.bytes, own.bytes, own.size)) {
        PyObject *key = PyBytes_FromStringAndSize((const char *)own.bytes, (Py_ssize_t)own.size);
        if (key == NULL) return NULL;
        PyObject *found = PyDict_GetItemWithError(known, key);
        if (found == NULL) {
            *memo = key;
            return NULL;
        }
        Py_DECREF(key);
        last->memo.size = own.size;
        memcpy(last->memo.bytes, own.bytes, own.size);
        last->about = found;
    }
    *about = last->about;
    return frame(form, record);
}

static PyObject *bytes_or_none(const Bytes *bytes) {
    if (bytes->bytes == NULL) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)bytes->bytes, (Py_ssize_t)bytes->size);
}

/* Appends to a list and consumes the reference, which may be NULL with an error set. */
static int append(PyObject *list, PyObject *item) {
    int failed = item == NULL || PyList_Append(list, item);
    Py_XDECREF(item);
    return !failed;
}

/* A record for `framer.py`: (offset, timestamp, key, value, headers). */
static PyObject *unpacked(const Record *record, const byte *end) {
    PyObject *headers = PyList_New(0);
    if (headers == NULL) return NULL;
    Packed packed = {record->headers, end};
    for (long long i = 0; i < record->header_count; i++) {
        Bytes name, value;
        if (!read_bytes(&packed, &name) || !read_bytes(&packed, &value)) break; /* they were read before */
        PyObject *text = PyUnicode_DecodeUTF8((const char *)name.bytes, (Py_ssize_t)name.size, "strict");
        PyObject *bytes = bytes_or_none(&value);
        if (text == NULL || bytes == NULL || !append(headers, PyTuple_Pack(2, text, bytes))) {
            Py_XDECREF(text);
            Py_XDECREF(bytes);
            Py_DECREF(headers);
            return NULL;
        }
        Py_DECREF(text);
        Py_DECREF(bytes);
    }
    PyObject *key = bytes_or_none(&record->key), *value = bytes_or_none(&record->value);
    if (key == NULL || value == NULL) {
        Py_XDECREF(key);
        Py_XDECREF(value);
        Py_DECREF(headers);
        return NULL;
    }
    return Py_BuildValue("(LLNNN)", record->offset, record->timestamp, key, value, headers);
}

static int read_form(PyObject *pieces, long long partition, Form *form) {
    form->count = (size_t)PyTuple_GET_SIZE(pieces);
    if (form->count != PIECES && form->count != PIECES - 1) {
        PyErr_SetString(PyExc_ValueError, "a form has 6 or 7 pieces");
        return 0;
    }
    for (size_t i = 0; i < form->count; i++) {
        char *bytes;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(pieces, (Py_ssize_t)i), &bytes, &size)) return 0;
        form->pieces[i] = (Bytes){(const byte *)bytes, (size_t)size};
    }
    form->partition_size = write_digits(form->partition, partition);
    return 1;
}

enum { OFFSETS, TIMESTAMPS, PAYLOADS, ABOUTS, LEFT, LISTS };

static int add_record(const Record *record, const byte *end, const Form *form, PyObject *known, Last *last, PyObject **lists) {
    PyObject *about = Py_None, *memo = NULL, *payload = framed(form, record, known, last, &about, &memo);
    if (payload == NULL) {
        if (PyErr_Occurred()) return 0;
        Py_ssize_t index = PyList_GET_SIZE(lists[OFFSETS]);
        PyObject *left = unpacked(record, end);
        if (left == NULL) {
            Py_XDECREF(memo);
            return 0;
        }
        if (!append(lists[LEFT], Py_BuildValue("(nNN)", index, memo == NULL ? Py_NewRef(Py_None) : memo, left))) return 0;
        payload = Py_NewRef(Py_None);
    }
    return append(lists[PAYLOADS], payload) && !PyList_Append(lists[ABOUTS], about)
        && append(lists[OFFSETS], PyLong_FromLongLong(record->offset))
        && append(lists[TIMESTAMPS], PyLong_FromLongLong(record->timestamp));
}

PyDoc_STRVAR(
    unpack_doc,
    "unpack(pieces, partition, known, start, packed, at, count, base_offset, first_timestamp, append_time)\n"
    "-> (offsets, timestamps, payloads, abouts, left, at, count)\n\n"
    "The next chunk of the `count` records packed from `at` on, without those before the offset `start`; and where the\n"
    "rest begins. `pieces`: a frame's form, cut where something is inserted; `known`: abouts by memo; `append_time`: of\n"
    "all records, or None. `left`: (index, memo, record) for each payload that is None: of records that are not plain,\n"
    "whose memo is None, and of those whose memo is not in `known`. Raises ValueError.");

static PyObject *unpack(PyObject *self, PyObject *arguments) {
    (void)self;
    PyObject *pieces, *known, *append_time, *lists[LISTS] = {NULL};
    Py_buffer packed;
    Py_ssize_t at;
    long long partition, start, count;
    Base base;
    if (!PyArg_ParseTuple(
            arguments, "O!LO!Ly*nLLLO", &PyTuple_Type, &pieces, &partition, &PyDict_Type, &known, &start, &packed, &at,
            &count, &base.base_offset, &base.first_timestamp, &append_time))
        return NULL;
    Form form;
    Last last = {.about = NULL};
    base.has_append_time = append_time != Py_None;
    base.append_time = base.has_append_time ? PyLong_AsLongLong(append_time) : 0;
    if (PyErr_Occurred() || !read_form(pieces, partition, &form)) goto failed;
    if (at < 0 || at > packed.len || count < 0) {
        PyErr_SetString(PyExc_ValueError, "not a place among the records");
        goto failed;
    }
    for (int i = 0; i < LISTS; i++)
        if ((lists[i] = PyList_New(0)) == NULL) goto failed;
    Packed rest = {(const byte *)packed.buf + at, (const byte *)packed.buf + packed.len};
    for (size_t bytes = 0, records = 0; count && bytes < CHUNK_BYTES && records < CHUNK_RECORDS; count--) {
        Record record;
        if (!read_record(&rest, &base, &record)) {
            PyErr_SetString(PyExc_ValueError, "a record is not packed as Kafka packs records");
            goto failed;
        }
        if (record.offset < start) continue;
        bytes += record.value.size;
        records++;
        if (!add_record(&record, rest.at, &form, known, &last, lists)) goto failed;
    }
    if (!count && rest.at != rest.end) {
        PyErr_SetString(PyExc_ValueError, "there are bytes behind the last record");
        goto failed;
    }
    at = rest.at - (const byte *)packed.buf;
    PyBuffer_Release(&packed);
    return Py_BuildValue("(NNNNNnL)", lists[0], lists[1], lists[2], lists[3], lists[4], at, count);
failed:
    for (int i = 0; i < LISTS; i++) Py_XDECREF(lists[i]);
    PyBuffer_Release(&packed);
    return NULL;
}

static PyMethodDef methods[] = {{"unpack", unpack, METH_VARARGS, unpack_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "catalogizer_frames", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_catalogizer_frames(void) {
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && PyModule_AddStringConstant(made, "source", SOURCE)) Py_CLEAR(made);
    return made;
}
