// Image to network input, and network output to image: the rules of preprocess.py, one pass each.
//
// Both resizes work along rows and columns apart, so each is driven by two tables with one Tap a row or
// column of its output. The kernels *_taps make the tables, once per pair of sizes; only they compute in
// float64. Padding stands in the tables too (a padded column has the tap of the column that it mirrors), so
// the resizes know nothing of it.
//
// Every kernel takes one thread a value, bounds checked, so any grid that covers the output will do.
// The same source compiles for the CPU: tests/support/kernels_on_host.cpp.

// Where an output row or column lies in its source, as source row or column first + fraction.
struct Tap {
    int first;       // may be -1 in a cubic table
    float fraction;  // in [0, 1); 0 in a bilinear table where first is the last one
};

// What turns the three bytes of a pixel, in the order they lie in memory, into network values.
struct Normalise {
    float scale[3];  // 1 / (255 std)
    float bias[3];   // -mean / std
};

// Return an index folded into [0, side) by mirroring at both edges, as often as it takes.
static __device__ int mirrored(int index, int side) {
    if (side == 1) return 0;
    const int period = 2 * (side - 1);
    const int folded = abs(index) % period;
    return folded < side ? folded : period - folded;
}

// Weigh the source values at first - 1 .. first + 2. Source: OpenCV, imgproc, interpolateCubic.
static __device__ void cubic_weights(float t, float weights[4]) {
    const float a = -0.75f;
    const float rest = 1 - t, far = t + 1;
    weights[0] = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a;
    weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weights[2] = ((a + 2) * rest - (a + 3)) * rest * rest + 1;
    weights[3] = 1 - weights[0] - weights[1] - weights[2];
}

static __device__ int clamped(int index, int side) {
    return index < 0 ? 0 : index < side ? index : side - 1;
}

// Make one axis of the table for image_to_batch.
//   taps        output, input_px of them
//   input_px    side of the network's input
//   content_px  side of the image inside it, from offset_px on; the rest mirrors it
//   image_px    side of the image
extern "C" __global__ void cubic_taps(Tap *taps, int input_px, int content_px, int offset_px, int image_px) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= input_px) return;
    const int inside = mirrored(index - offset_px, content_px);
    const double step = (double)image_px / content_px;
    // OpenCV rounds the position to float32: beyond 4096 px that moves it by up to 2e-4. No fused
    // multiply-add, which would round the other way now and then.
    const float position = (float)__dsub_rn(__dmul_rn(inside + 0.5, step), 0.5);
    const float first = floorf(position);
    taps[index].first = (int)first;
    taps[index].fraction = position - first;
}

// Make one axis of the table for image_to_batch_bilinear: align_corners=True.
//   taps        output, input_px of them; first is -margin_px or more, and mirrored at the image's edges
//   input_px    side of the network's input
//   content_px  side of the resized image inside it, from offset_px on; the rest mirrors it
//   image_px    side of the image
//   margin_px   rows or columns that the mirrored image adds on each side of it
extern "C" __global__ void corner_taps(Tap *taps, int input_px, int content_px, int offset_px, int image_px,
                                       int margin_px) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= input_px) return;
    const int inside = mirrored(index - offset_px, content_px);
    const int last = image_px + 2 * margin_px - 1;
    // torch computes positions in float32: beyond 4096 px that moves them by up to 2e-4. No fused multiply-add either.
    const float step = content_px > 1 ? (float)last / (float)(content_px - 1) : 0.0f;
    const float position = __fmul_rn((float)inside, step);
    const int first = (int)position < last ? (int)position : last;
    taps[index].first = first - margin_px;
    taps[index].fraction = first < last ? position - (float)first : 0.0f;
}

// Make one axis of the table for depth_to_image.
//   taps        output, image_px of them
//   image_px    side of the image
//   content_px  side of the image inside the network's output, from offset_px on
//   corners     1: align_corners=True; 0: half-pixel centres
extern "C" __global__ void bilinear_taps(Tap *taps, int image_px, int content_px, int offset_px, int corners) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= image_px) return;
    double position;
    if (corners) {
        position = image_px > 1 ? index * ((content_px - 1.0) / (image_px - 1.0)) : 0.0;
    } else {
        position = fmax(__dsub_rn(__dmul_rn(index + 0.5, (double)content_px / image_px), 0.5), 0.0);
    }
    const int last = content_px - 1;
    const int first = (int)position < last ? (int)position : last;
    taps[index].first = offset_px + first;
    taps[index].fraction = first < last ? (float)(position - first) : 0.0f;
}

// Make one axis of the table for depth_to_image_cubic.
//   taps        output, image_px of them
//   image_px    side of the image
//   margin_px   rows or columns that were added on each side of the image; their depth is not written
//   content_px  side of the image with its margin inside the network's output
extern "C" __global__ void depth_cubic_taps(Tap *taps, int image_px, int margin_px, int content_px) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= image_px) return;
    const double step = (double)content_px / (image_px + 2 * margin_px);
    // Not rounded to float32: OpenCV on an x86 CPU does not do so either with images of one float32 channel.
    const double position = __dsub_rn(__dmul_rn(index + margin_px + 0.5, step), 0.5);
    const double first = floor(position);
    taps[index].first = (int)first;
    taps[index].fraction = (float)(position - first);
}

// Resize, normalise and lay out one image: cv2.INTER_CUBIC, not clipped.
//   image       (height, width, 3) uint8, RGB or BGR, rows row_bytes apart
//   rows        (input_height,) cubic taps
//   columns     (input_width,) cubic taps
//   batch       output (3, input_height, input_width) float32, RGB planes
//   bgr         1: the image's pixels are BGR; 0: RGB
//   normalise   in the order of the image's bytes
extern "C" __global__ void image_to_batch(const unsigned char *__restrict__ image, long long row_bytes, int height,
                                          int width, const Tap *__restrict__ rows, const Tap *__restrict__ columns,
                                          float *__restrict__ batch, int input_height, int input_width, int bgr,
                                          Normalise normalise) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= input_width || y >= input_height) return;

    const Tap down = rows[y], across = columns[x];
    float row_weights[4], column_weights[4];
    cubic_weights(down.fraction, row_weights);
    cubic_weights(across.fraction, column_weights);

    float sum[3] = {0, 0, 0};
    for (int i = 0; i < 4; ++i) {
        const unsigned char *row = image + clamped(down.first - 1 + i, height) * row_bytes;
        float line[3] = {0, 0, 0};
        for (int j = 0; j < 4; ++j) {
            const unsigned char *pixel = row + 3 * clamped(across.first - 1 + j, width);
            for (int byte = 0; byte < 3; ++byte) line[byte] += column_weights[j] * pixel[byte];
        }
        for (int byte = 0; byte < 3; ++byte) sum[byte] += row_weights[i] * line[byte];
    }

    const long long plane_px = (long long)input_height * input_width;
    float *value = batch + (long long)y * input_width + x;
    for (int byte = 0; byte < 3; ++byte) {
        value[(bgr ? 2 - byte : byte) * plane_px] = sum[byte] * normalise.scale[byte] + normalise.bias[byte];
    }
}

// Resize, normalise and lay out one image: bilinear; where its taps reach outside of the image, they are mirrored.
//   rows        (input_height,) corner taps
//   columns     (input_width,) corner taps
//   The rest is that of image_to_batch.
extern "C" __global__ void image_to_batch_bilinear(const unsigned char *__restrict__ image, long long row_bytes,
                                                   int height, int width, const Tap *__restrict__ rows,
                                                   const Tap *__restrict__ columns, float *__restrict__ batch,
                                                   int input_height, int input_width, int bgr, Normalise normalise) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= input_width || y >= input_height) return;

    const Tap down = rows[y], across = columns[x];
    const unsigned char *upper = image + mirrored(down.first, height) * row_bytes;
    const unsigned char *lower = image + mirrored(down.first + 1, height) * row_bytes;
    const int left = 3 * mirrored(across.first, width), right = 3 * mirrored(across.first + 1, width);

    const long long plane_px = (long long)input_height * input_width;
    float *value = batch + (long long)y * input_width + x;
    for (int byte = 0; byte < 3; ++byte) {
        const float first = upper[left + byte], second = lower[left + byte];
        const float above = first + (upper[right + byte] - first) * across.fraction;
        const float below = second + (lower[right + byte] - second) * across.fraction;
        const float sum = above + (below - above) * down.fraction;
        value[(bgr ? 2 - byte : byte) * plane_px] = sum * normalise.scale[byte] + normalise.bias[byte];
    }
}

// Resize the network's output to the image's size, bilinear; padding is cut off by the taps.
//   depth        (any, depth_width) float32
//   rows         (height,) bilinear taps
//   columns      (width,) bilinear taps
//   values       output (height, width) float32
extern "C" __global__ void depth_to_image(const float *__restrict__ depth, int depth_width,
                                          const Tap *__restrict__ rows, const Tap *__restrict__ columns,
                                          float *__restrict__ values, int height, int width) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;

    const Tap down = rows[y], across = columns[x];
    const float *upper = depth + (long long)down.first * depth_width + across.first;
    const int right = across.fraction > 0 ? 1 : 0;  // a fraction of 0 may stand at the last column
    const float *lower = down.fraction > 0 ? upper + depth_width : upper;
    const float above = upper[0] + (upper[right] - upper[0]) * across.fraction;
    const float below = lower[0] + (lower[right] - lower[0]) * across.fraction;
    values[(long long)y * width + x] = above + (below - above) * down.fraction;
}

// Resize the network's output to the image's size: cv2.INTER_CUBIC, the content's border repeated.
//   depth           the content of the output, (content_height, content_width) float32, rows depth_width apart
//   rows            (height,) cubic taps of the depth
//   columns         (width,) cubic taps of the depth
//   values          output (height, width) float32
extern "C" __global__ void depth_to_image_cubic(const float *__restrict__ depth, int depth_width, int content_height,
                                                int content_width, const Tap *__restrict__ rows,
                                                const Tap *__restrict__ columns, float *__restrict__ values,
                                                int height, int width) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;

    const Tap down = rows[y], across = columns[x];
    float row_weights[4], column_weights[4];
    cubic_weights(down.fraction, row_weights);
    cubic_weights(across.fraction, column_weights);

    float sum = 0;
    for (int i = 0; i < 4; ++i) {
        const float *row = depth + (long long)clamped(down.first - 1 + i, content_height) * depth_width;
        float line = 0;
        for (int j = 0; j < 4; ++j) line += column_weights[j] * row[clamped(across.first - 1 + j, content_width)];
        sum += row_weights[i] * line;
    }
    values[(long long)y * width + x] = sum;
}
