// standin_cuda.cpp with another library on the GPU: default streams, a stream that waits for an event of another stream,
// and addresses on a second GPU.

#define cuEventRecord record_on_a_stream
#define cuPointerGetAttribute memory_type_of
#define cuStreamWaitEvent wait_is_not_there
#include "standin_cuda.cpp"
#undef cuEventRecord
#undef cuPointerGetAttribute
#undef cuStreamWaitEvent

namespace {

std::map<void *, void *> default_streams;  // CU_STREAM_LEGACY and CU_STREAM_PER_THREAD -> stream
std::set<Address> elsewhere;
constexpr int DEVICE_ORDINAL = 9;  // Source: CUDA driver API, CUpointer_attribute

}  // namespace

extern "C" {

void standin_default_stream(void *handle, void *stream) { default_streams[handle] = stream; }

void standin_elsewhere(Address address) { elsewhere.insert(address); }

int cuEventRecord(void *event, void *stream) {
    ENTER_CONTEXT;
    const auto found = default_streams.find(stream);
    return record_on_a_stream(event, found == default_streams.end() ? stream : found->second);
}

int cuStreamWaitEvent(void *stream, void *handle, unsigned) {
    ENTER_CONTEXT;
    auto *event = (Event *)handle;
    const unsigned number = event->asked;
    Stream *other = event->stream;
    return put(stream, [=] { return other ? run(other, [=] { return event->passed >= number; }) : OK; });
}

int cuPointerGetAttribute(void *value, int attribute, Address address) {
    ENTER_CONTEXT;
    if (attribute == MEMORY_TYPE) return memory_type_of(value, attribute, address);
    if (attribute != DEVICE_ORDINAL) return NOT_SUPPORTED;
    if (elsewhere.count(address)) return *(int *)value = 1, OK;
    return on_device(address, 1) ? (*(int *)value = 0, OK) : INVALID_VALUE;
}

}  // extern "C"
