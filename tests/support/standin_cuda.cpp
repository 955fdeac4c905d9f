// A libcuda.so.1 for machines without a GPU: its memory is host memory, its kernels are those of kernels_on_host.cpp.
//
// Asynchronous calls are lazy: work on a stream runs only when somebody waits for it, so a missing wait shows as wrong
// data. Fresh memory has every bit set (NaN as float32), every copy must be inside live memory, and a guard behind each
// allocation detects writes past its end.
//
// Errors are injected by standin_fail(), or in the environment: STANDIN_FAIL="cuInit=100 cuMemAlloc_v2=2".
// standin_live() counts live objects: "device" | "pinned" | "stream" | "event" | "module" | "graph" | "context" |
// "pushed", and "misuse": guards overwritten, unknown handles, busy streams destroyed.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

extern "C" int find_on_host(const char *name);
extern "C" size_t launch_on_host(int number, const unsigned grid[3], const unsigned block[3], const void *packed);

namespace {

// Source: CUDA driver API, CUresult
enum {
    OK = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    CONTEXT_IS_DESTROYED = 709,
    LAUNCH_FAILED = 719,
    NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    UNKNOWN = 999,
};
const std::map<int, const char *> TEXTS = {
    {OUT_OF_MEMORY, "out of memory"},
    {NO_DEVICE, "no CUDA-capable device is detected"},
    {INVALID_CONTEXT, "invalid device context"},
    {209, "no kernel image is available for execution on the device"},
    {ILLEGAL_ADDRESS, "an illegal memory access was encountered"},
    {LAUNCH_FAILED, "unspecified launch failure"},
    {CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"},
    {CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"},
    {UNKNOWN, "unknown error"},
};
constexpr size_t GUARD = 64;
constexpr uint32_t FATBIN_MAGIC = 0xBA55ED50;
constexpr int FATBIN_PTX = 1;
// Source: CUDA driver API, CUgraphNodeType, CUmemorytype and CUpointer_attribute
constexpr int KERNEL_NODE = 0, MEMCPY_NODE = 1, MEMSET_NODE = 2, HOST_NODE = 3;
constexpr int HOST_MEMORY = 1, DEVICE_MEMORY = 2, MEMORY_TYPE = 2;
using Work = std::function<int()>;
using Address = unsigned long long;

// One piece of recorded work; `from` and `to` are the addresses of a copy.
struct Node {
    int kind;
    const void *from, *to;
    Work work;
};

struct Stream {
    std::mutex queueing;               // held briefly, because the caller may hold Python's lock
    std::recursive_mutex running;      // held while work runs, which may wait for Python's lock
    std::deque<Work> queue;
    bool capturing = false, spoilt = false;
    std::vector<Node> captured;
};
struct Event {
    std::mutex lock;
    Stream *stream = nullptr;
    unsigned asked = 0, passed = 0;
    std::chrono::steady_clock::time_point at;
};
struct Graph {
    std::vector<Node> nodes;
};

std::recursive_mutex everything;
std::map<Address, size_t> device_memory, pinned_memory;
std::set<void *> streams, events, modules, graphs;
std::map<std::string, std::pair<int, int>> failures;  // function -> calls until then, code
int retained = 0, misuse = 0, broken = OK;
size_t device_bytes = 0, device_limit = size_t(8) << 30;
int context_token;
void *const CONTEXT = &context_token;
thread_local std::vector<void *> pushed;
thread_local std::vector<Stream *> recording;  // begun by this thread

// Refuse what CUDA refuses in a thread that records; it ends the recording.
int end_recording() {
    for (Stream *stream : recording) stream->spoilt = true;
    return recording.empty() ? OK : CAPTURE_UNSUPPORTED;
}

bool stays(int code) { return code == ILLEGAL_ADDRESS || code == LAUNCH_FAILED || code == UNKNOWN; }

void read_environment() {
    static bool done = false;
    if (done) return;
    done = true;
    std::string text = std::getenv("STANDIN_FAIL") ? std::getenv("STANDIN_FAIL") : "";
    for (size_t at = 0; at < text.size();) {
        const size_t equals = text.find('=', at), end = std::min(text.find(' ', at), text.size());
        failures[text.substr(at, equals - at)] = {0, std::atoi(text.c_str() + equals + 1)};
        at = end + 1;
    }
}

// Return the error that was injected into a call, or OK.
int injected(const char *function) {
    std::lock_guard<std::recursive_mutex> hold(everything);
    read_environment();
    const auto found = failures.find(function);
    if (found == failures.end() || found->second.first-- > 0) return OK;
    const int code = found->second.second;
    failures.erase(found);
    if (stays(code)) broken = code;
    return code;
}

#define ENTER \
    if (const int code = injected(__func__)) return code
#define ENTER_CONTEXT \
    ENTER; \
    if (pushed.empty()) return INVALID_CONTEXT; \
    if (!retained) return CONTEXT_IS_DESTROYED; \
    if (broken) return broken
#define LOCK std::lock_guard<std::recursive_mutex> hold(everything)

int guarded_allocate(std::map<Address, size_t> &memory, size_t bytes, Address *address) {
    if (!bytes) return INVALID_VALUE;
    auto *start = (unsigned char *)std::malloc(bytes + GUARD);
    if (!start) return OUT_OF_MEMORY;
    std::memset(start, 0xFF, bytes);
    std::memset(start + bytes, 0xA5, GUARD);
    *address = (Address)start;
    memory[*address] = bytes;
    return OK;
}

int guarded_free(std::map<Address, size_t> &memory, Address address) {
    const auto found = memory.find(address);
    if (found == memory.end()) return ++misuse, INVALID_VALUE;
    const auto *guard = (unsigned char *)address + found->second;
    for (size_t at = 0; at < GUARD; ++at)
        if (guard[at] != 0xA5) {
            ++misuse;
            break;
        }
    std::free((void *)address);
    memory.erase(found);
    return OK;
}

bool on_device(Address address, size_t bytes) {
    LOCK;
    auto found = device_memory.upper_bound(address);
    if (found == device_memory.begin()) return false;
    --found;
    return address + bytes <= found->first + found->second;
}

int copy(void *to, const void *from, size_t bytes, Address device) {
    if (!on_device(device, bytes)) return broken = ILLEGAL_ADDRESS;
    std::memcpy(to, from, bytes);
    return OK;
}

int put(void *handle, Work work, int kind = KERNEL_NODE, const void *from = nullptr, const void *to = nullptr) {
    auto *stream = (Stream *)handle;
    {
        LOCK;
        if (!streams.count(handle)) return ++misuse, INVALID_HANDLE;  // the default stream is never used
    }
    std::lock_guard<std::mutex> hold(stream->queueing);
    if (stream->capturing)
        stream->captured.push_back({kind, from, to, std::move(work)});
    else
        stream->queue.push_back(std::move(work));
    return OK;
}

// Run the work of a stream until `done` returns true or no work is left.
int run(Stream *stream, const std::function<bool()> &done) {
    std::lock_guard<std::recursive_mutex> hold(stream->running);
    while (!done()) {
        Work next;
        {
            std::lock_guard<std::mutex> queueing(stream->queueing);
            if (stream->queue.empty()) return broken;
            next = std::move(stream->queue.front());
            stream->queue.pop_front();
        }
        if (const int code = next()) return broken = code;
    }
    return broken;
}

template <class Kind>
int forget(std::set<void *> &known, void *handle) {
    LOCK;
    if (!known.erase(handle)) return ++misuse, INVALID_HANDLE;
    delete (Kind *)handle;
    return OK;
}

template <class Kind>
int make(std::set<void *> &known, void **handle) {
    LOCK;
    known.insert(*handle = new Kind);
    return OK;
}

}  // namespace

extern "C" {

// ---- for the tests

void standin_fail(const char *function, int calls_before, int code) {
    LOCK;
    failures[function] = {calls_before, code};
}

// Put a function of the host on a stream, recorded as a kernel: part of a network.
int standin_launch(void *stream, void (*function)(void *), void *data) {
    ENTER_CONTEXT;
    return put(stream, [=] { return function(data), OK; });
}

void standin_limit(size_t bytes) { device_limit = bytes; }

long standin_live(const char *kind) {
    LOCK;
    const std::map<std::string, long> counts = {
        {"device", device_memory.size()}, {"pinned", pinned_memory.size()}, {"stream", streams.size()},
        {"event", events.size()},         {"module", modules.size()},       {"graph", graphs.size()},
        {"context", retained},            {"pushed", pushed.size()},        {"misuse", misuse},
    };
    const auto found = counts.find(kind);
    return found == counts.end() ? -1 : found->second;
}

// ---- driver and device

int cuInit(unsigned) {
    ENTER;
    return OK;
}
int cuDriverGetVersion(int *version) { return *version = 13000, OK; }
int cuDeviceGetCount(int *count) {
    ENTER;
    return *count = 1, OK;
}
int cuDeviceGet(int *device, int index) {
    ENTER;
    return *device = index, index == 0 ? OK : INVALID_DEVICE;
}
int cuDeviceGetName(char *name, int bytes, int) {
    std::strncpy(name, "Stand-in GPU", bytes);
    return OK;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
    const char *capability = std::getenv("STANDIN_CAPABILITY") ? std::getenv("STANDIN_CAPABILITY") : "89";
    *value = attribute == 75 ? capability[0] - '0' : attribute == 76 ? capability[1] - '0' : 1;
    return OK;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = device_limit, OK; }
int cuGetErrorString(int code, const char **text) {
    const auto found = TEXTS.find(code);
    return *text = found == TEXTS.end() ? "an error of the stand-in" : found->second, OK;
}
int cuMemGetInfo_v2(size_t *free, size_t *total) {
    ENTER_CONTEXT;
    return *free = device_limit - device_bytes, *total = device_limit, OK;
}

// ---- context

int cuDevicePrimaryCtxRetain(void **context, int) {
    ENTER;
    LOCK;
    return ++retained, *context = CONTEXT, OK;
}
int cuDevicePrimaryCtxRelease_v2(int) {
    LOCK;
    return retained ? (--retained, OK) : (++misuse, INVALID_CONTEXT);
}
int cuCtxPushCurrent_v2(void *context) {
    ENTER;
    if (context != CONTEXT || !retained) return INVALID_CONTEXT;
    return pushed.push_back(context), OK;
}
int cuCtxPopCurrent_v2(void **context) {
    if (pushed.empty()) return ++misuse, INVALID_CONTEXT;
    *context = pushed.back();
    return pushed.pop_back(), OK;
}
int cuCtxGetDevice(int *device) {
    ENTER_CONTEXT;
    return *device = 0, OK;
}
int cuCtxSynchronize() {
    ENTER_CONTEXT;
    std::vector<void *> all;
    {
        LOCK;
        all.assign(streams.begin(), streams.end());
    }
    for (void *stream : all)
        if (const int code = run((Stream *)stream, [] { return false; })) return code;
    return OK;
}

// ---- memory

int cuMemAlloc_v2(Address *address, size_t bytes) {
    ENTER_CONTEXT;
    if (const int code = end_recording()) return code;
    LOCK;
    if (device_bytes + bytes > device_limit) return OUT_OF_MEMORY;
    const int code = guarded_allocate(device_memory, bytes, address);
    if (!code) device_bytes += bytes;
    return code;
}
int cuMemFree_v2(Address address) {
    ENTER_CONTEXT;
    if (const int code = end_recording()) return code;
    LOCK;
    if (device_memory.count(address)) device_bytes -= device_memory[address];
    return guarded_free(device_memory, address);
}
int cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
    ENTER_CONTEXT;
    LOCK;
    return guarded_allocate(pinned_memory, bytes, (Address *)pointer);
}
int cuMemFreeHost(void *pointer) {
    ENTER_CONTEXT;
    LOCK;
    return guarded_free(pinned_memory, (Address)pointer);
}
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) {
    ENTER_CONTEXT;
    return put(stream, [=] { return copy((void *)to, from, bytes, to); }, MEMCPY_NODE, from, (void *)to);
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *stream) {
    ENTER_CONTEXT;
    return put(stream, [=] { return copy(to, (void *)from, bytes, from); }, MEMCPY_NODE, (void *)from, to);
}

int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *stream) {
    ENTER_CONTEXT;
    const auto work = [=] {
        return on_device(to, bytes) ? copy((void *)to, (void *)from, bytes, from) : (broken = ILLEGAL_ADDRESS);
    };
    return put(stream, work, MEMCPY_NODE, (void *)from, (void *)to);
}
int cuMemsetD8Async(Address to, unsigned char byte, size_t bytes, void *stream) {
    ENTER_CONTEXT;
    const auto work = [=]() -> int {
        if (!on_device(to, bytes)) return ILLEGAL_ADDRESS;
        return std::memset((void *)to, byte, bytes), OK;
    };
    return put(stream, work, MEMSET_NODE);
}

// ---- streams and events

int cuStreamCreate(void **stream, unsigned) {
    ENTER_CONTEXT;
    return make<Stream>(streams, stream);
}
int cuStreamDestroy_v2(void *stream) {
    ENTER_CONTEXT;
    {
        LOCK;
        if (streams.count(stream) && !((Stream *)stream)->queue.empty()) ++misuse;
    }
    return forget<Stream>(streams, stream);
}
int cuStreamSynchronize(void *stream) {
    ENTER_CONTEXT;
    if (((Stream *)stream)->capturing) return ((Stream *)stream)->spoilt = true, CAPTURE_UNSUPPORTED;
    return run((Stream *)stream, [] { return false; });
}
int cuStreamQuery(void *stream) {
    ENTER_CONTEXT;
    std::lock_guard<std::mutex> hold(((Stream *)stream)->queueing);
    return ((Stream *)stream)->queue.empty() ? OK : NOT_READY;
}
int cuLaunchHostFunc(void *stream, void (*function)(void *), void *data) {
    ENTER_CONTEXT;
    return put(stream, [=] { return function(data), OK; }, HOST_NODE);
}
int cuPointerGetAttribute(void *value, int attribute, Address address) {
    ENTER_CONTEXT;
    if (attribute != MEMORY_TYPE) return NOT_SUPPORTED;
    LOCK;
    const auto pinned = pinned_memory.upper_bound(address);
    const bool on_host = pinned != pinned_memory.begin() && std::prev(pinned)->first + std::prev(pinned)->second > address;
    if (!on_host && !on_device(address, 1)) return INVALID_VALUE;
    return *(int *)value = on_host ? HOST_MEMORY : DEVICE_MEMORY, OK;
}
int cuEventCreate(void **event, unsigned) {
    ENTER_CONTEXT;
    return make<Event>(events, event);
}
int cuEventDestroy_v2(void *event) {
    ENTER_CONTEXT;
    return forget<Event>(events, event);
}
int cuEventRecord(void *handle, void *stream) {
    ENTER_CONTEXT;
    auto *event = (Event *)handle;
    event->stream = (Stream *)stream;
    const unsigned number = ++event->asked;
    return put(stream, [=] {
        std::lock_guard<std::mutex> hold(event->lock);
        event->passed = number;
        event->at = std::chrono::steady_clock::now();
        return OK;
    });
}
int cuEventSynchronize(void *handle) {
    ENTER_CONTEXT;
    auto *event = (Event *)handle;
    const unsigned number = event->asked;
    return event->stream ? run(event->stream, [=] { return event->passed >= number; }) : OK;
}
int cuEventQuery(void *handle) {
    ENTER_CONTEXT;
    return ((Event *)handle)->passed == ((Event *)handle)->asked ? OK : NOT_READY;
}
int cuEventElapsedTime_v2(float *ms, void *from, void *to) {
    ENTER_CONTEXT;
    auto *start = (Event *)from, *end = (Event *)to;
    if (start->passed != start->asked || end->passed != end->asked) return NOT_READY;
    return *ms = std::chrono::duration<float, std::milli>(end->at - start->at).count(), OK;
}

// ---- kernels

int cuModuleLoadData(void **module, const void *image) {
    ENTER_CONTEXT;
    uint32_t magic;
    std::memcpy(&magic, image, sizeof magic);
    if (magic != FATBIN_MAGIC) return INVALID_IMAGE;
    return make<int>(modules, module);
}
int cuModuleLoadDataEx(void **module, const void *image, unsigned options, int *names, void **values) {
    // CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES and CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES: pycuda reads so much of its own buffers
    for (unsigned at = 0; at < options; ++at)
        if (names[at] == 4 || names[at] == 6) values[at] = nullptr;
    ENTER;
    return cuModuleLoadData(module, image);
}
int cuModuleUnload(void *module) {
    ENTER_CONTEXT;
    return forget<int>(modules, module);
}
int cuModuleGetFunction(void **function, void *, const char *name) {
    ENTER_CONTEXT;
    const int number = find_on_host(name);
    return *function = (void *)(intptr_t)(number + 1), number < 0 ? NOT_FOUND : OK;
}
int cuFuncSetBlockShape(void *, int, int, int) { return OK; }
int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned, void *stream, void **, void **extra) {
    ENTER_CONTEXT;
    // extra: CU_LAUNCH_PARAM_BUFFER_POINTER, pointer, CU_LAUNCH_PARAM_BUFFER_SIZE, size, end
    const std::string packed((const char *)extra[1], *(size_t *)extra[3]);
    return put(stream, [=] {
        const unsigned grid[3] = {grid_x, grid_y, grid_z}, block[3] = {block_x, block_y, block_z};
        const size_t taken = launch_on_host((int)(intptr_t)function - 1, grid, block, packed.data());
        return taken == packed.size() ? OK : INVALID_VALUE;
    });
}

// ---- graphs

int cuStreamBeginCapture_v2(void *handle, int) {
    ENTER_CONTEXT;
    auto *stream = (Stream *)handle;
    if (stream->capturing) return CAPTURE_UNSUPPORTED;
    stream->capturing = true;
    recording.push_back(stream);
    return OK;
}
int cuStreamEndCapture(void *handle, void **graph) {
    ENTER_CONTEXT;
    auto *stream = (Stream *)handle;
    *graph = nullptr;
    if (!stream->capturing) return INVALID_VALUE;
    const bool spoilt = stream->spoilt;
    auto nodes = std::move(stream->captured);
    stream->captured.clear();
    stream->capturing = stream->spoilt = false;
    recording.erase(std::remove(recording.begin(), recording.end(), stream), recording.end());
    if (spoilt) return CAPTURE_INVALIDATED;
    make<Graph>(graphs, graph);
    ((Graph *)*graph)->nodes = std::move(nodes);
    return OK;
}
int cuGraphInstantiateWithFlags(void **runnable, void *graph, unsigned long long) {
    ENTER_CONTEXT;
    make<Graph>(graphs, runnable);
    ((Graph *)*runnable)->nodes = ((Graph *)graph)->nodes;
    return OK;
}
int cuGraphLaunch(void *runnable, void *stream) {
    ENTER_CONTEXT;
    for (const Node &node : ((Graph *)runnable)->nodes)
        if (const int code = put(stream, node.work, node.kind, node.from, node.to)) return code;
    return OK;
}
int cuGraphGetNodes(void *graph, void **nodes, size_t *count) {
    ENTER_CONTEXT;
    auto &found = ((Graph *)graph)->nodes;
    if (nodes)
        for (size_t at = 0; at < *count; ++at) nodes[at] = &found[at];
    return *count = found.size(), OK;
}
int cuGraphNodeGetType(void *node, int *kind) {
    ENTER_CONTEXT;
    return *kind = ((Node *)node)->kind, OK;
}
int cuGraphMemcpyNodeGetParams(void *handle, void *parameters) {
    ENTER_CONTEXT;
    // CUDA_MEMCPY3D_v2: for each end x, y, z, lod, type, host, device, array, reserved, pitch, height
    const auto *node = (Node *)handle;
    const void *ends[2] = {node->from, node->to};
    for (int end = 0; end < 2; ++end) {
        const bool device = on_device((Address)ends[end], 1);
        auto *fields = (size_t *)parameters + 11 * end;
        fields[4] = device ? DEVICE_MEMORY : HOST_MEMORY;
        fields[device ? 6 : 5] = (size_t)ends[end];
    }
    return OK;
}
int cuStreamIsCapturing(void *stream, int *status) {
    ENTER_CONTEXT;
    return *status = ((Stream *)stream)->capturing, OK;
}
int cuGraphExecDestroy(void *runnable) { return forget<Graph>(graphs, runnable); }
int cuGraphDestroy(void *graph) { return forget<Graph>(graphs, graph); }

// ---- functions that pycuda links and depthrt never calls

#define REST(name) \
    int name() { return NOT_SUPPORTED; }
REST(cuArray3DCreate_v2) REST(cuArray3DGetDescriptor_v2) REST(cuArrayCreate_v2) REST(cuArrayDestroy)
REST(cuArrayGetDescriptor_v2) REST(cuCtxAttach) REST(cuCtxCreate_v4) REST(cuCtxDetach) REST(cuCtxDisablePeerAccess)
REST(cuCtxEnablePeerAccess) REST(cuCtxGetApiVersion) REST(cuCtxGetCacheConfig) REST(cuCtxGetLimit)
REST(cuCtxGetSharedMemConfig) REST(cuCtxSetCacheConfig) REST(cuCtxSetLimit) REST(cuCtxSetSharedMemConfig)
REST(cuDeviceCanAccessPeer) REST(cuDeviceComputeCapability) REST(cuDeviceGetByPCIBusId) REST(cuDeviceGetPCIBusId)
REST(cuFuncGetAttribute) REST(cuFuncSetAttribute) REST(cuFuncSetCacheConfig) REST(cuFuncSetSharedSize)
REST(cuIpcCloseMemHandle) REST(cuIpcGetEventHandle) REST(cuIpcGetMemHandle) REST(cuIpcOpenEventHandle)
REST(cuIpcOpenMemHandle_v2) REST(cuLaunch) REST(cuLaunchGrid) REST(cuLaunchGridAsync) REST(cuLinkAddData_v2)
REST(cuLinkAddFile_v2) REST(cuLinkComplete) REST(cuLinkCreate_v2) REST(cuLinkDestroy) REST(cuMemAllocManaged)
REST(cuMemAllocPitch_v2) REST(cuMemGetAddressRange_v2) REST(cuMemHostGetDevicePointer_v2) REST(cuMemHostGetFlags)
REST(cuMemHostRegister_v2) REST(cuMemHostUnregister) REST(cuMemcpy2DAsync_v2) REST(cuMemcpy2DUnaligned_v2)
REST(cuMemcpy2D_v2) REST(cuMemcpy3DAsync_v2) REST(cuMemcpy3DPeer) REST(cuMemcpy3DPeerAsync) REST(cuMemcpy3D_v2)
REST(cuMemcpyAtoA_v2) REST(cuMemcpyAtoD_v2) REST(cuMemcpyAtoH_v2) REST(cuMemcpyDtoA_v2)
REST(cuMemcpyDtoD_v2) REST(cuMemcpyDtoH_v2) REST(cuMemcpyHtoA_v2) REST(cuMemcpyHtoD_v2) REST(cuMemcpyPeer)
REST(cuMemcpyPeerAsync) REST(cuMemsetD16Async) REST(cuMemsetD16_v2) REST(cuMemsetD2D16Async) REST(cuMemsetD2D16_v2)
REST(cuMemsetD2D32Async) REST(cuMemsetD2D32_v2) REST(cuMemsetD2D8Async) REST(cuMemsetD2D8_v2) REST(cuMemsetD32Async)
REST(cuMemsetD32_v2) REST(cuMemsetD8_v2) REST(cuModuleGetGlobal_v2) REST(cuModuleGetSurfRef)
REST(cuModuleGetTexRef) REST(cuModuleLoad) REST(cuParamSetSize) REST(cuParamSetTexRef) REST(cuParamSetf)
REST(cuParamSeti) REST(cuParamSetv) REST(cuProfilerInitialize) REST(cuProfilerStart) REST(cuProfilerStop)
REST(cuStreamAttachMemAsync) REST(cuStreamWaitEvent) REST(cuSurfRefGetArray) REST(cuSurfRefSetArray)
REST(cuTexRefCreate) REST(cuTexRefDestroy) REST(cuTexRefGetAddressMode) REST(cuTexRefGetAddress_v2)
REST(cuTexRefGetArray) REST(cuTexRefGetFilterMode) REST(cuTexRefGetFlags) REST(cuTexRefGetFormat)
REST(cuTexRefSetAddress2D_v3) REST(cuTexRefSetAddressMode) REST(cuTexRefSetAddress_v2) REST(cuTexRefSetArray)
REST(cuTexRefSetFilterMode) REST(cuTexRefSetFlags) REST(cuTexRefSetFormat)

}  // extern "C"
