/**
 * A GPU that computes nothing: it counts what tfjs asks it for, and refuses what any GPU may refuse. Counts are the same
 * on every device, and this one answers at once.
 */

/** The numbers of calls. */
export interface Counts {
  /** Shaders that were started. */
  dispatches: number;
  submits: number;
  /** Tensors that came from the CPU. */
  uploads: number;
  /** Copies between tensors. */
  copies: number;
  /** Waits for values. */
  reads: number;
}

/** Storage buffers that a shader may have on every GPU, and the one buffer of its numbers. */
const STORAGE_BUFFERS = 8;
const LIMITS = {
  maxStorageBuffersPerShaderStage: STORAGE_BUFFERS,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBufferBindingSize: 2 ** 31,
  maxBufferSize: 2 ** 31,
  maxComputeWorkgroupSizeX: 256,
  maxComputeInvocationsPerWorkgroup: 256,
};

class Buffer {
  readonly size: number;
  readonly usage: number;
  mapState: string;

  constructor(size: number, usage: number, mapped: boolean) {
    this.size = size;
    this.usage = usage;
    this.mapState = mapped ? "mapped" : "unmapped";
  }
  getMappedRange = () => new ArrayBuffer(this.size);
  unmap = () => {
    this.mapState = "unmapped";
  };
  async mapAsync() {
    this.mapState = "mapped";
  }
  destroy() {}
}

/** Puts the device where tfjs looks for one. @param limits other than most GPUs have */
export function putCountingGpu(limits: Partial<typeof LIMITS> = {}): {
  /** The numbers since the last call. */
  take(): Counts;
  /** Reports an error, as a device does that refuses a command. */
  refuse(message: string): void;
} {
  const own = { ...LIMITS, ...limits };
  const none = (): Counts => ({ dispatches: 0, submits: 0, uploads: 0, copies: 0, reads: 0 });
  let counts = none();
  let listener: (event: { error: Error }) => void;
  const pass = {
    setPipeline() {},
    setBindGroup() {},
    dispatchWorkgroups: (...groups: number[]) => {
      if (groups.some((count) => !(count >= 1 && count <= LIMITS.maxComputeWorkgroupsPerDimension)))
        throw new Error(`workgroups: ${groups}`);
      counts.dispatches++;
    },
    end() {},
  };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: (_: Buffer, __: number, to: Buffer) => {
      if (to.usage & GPUBufferUsage.MAP_READ) counts.reads++;
      else counts.copies++;
    },
    finish: () => ({}),
  };
  const GPUBufferUsage = { MAP_READ: 1, MAP_WRITE: 2, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };
  const device = {
    limits: own,
    features: new Set(),
    queue: { writeBuffer() {}, submit: () => counts.submits++ },
    createBuffer: ({ size, usage, mappedAtCreation }: Record<string, never>) => {
      if (mappedAtCreation) counts.uploads++;
      return new Buffer(size, usage, mappedAtCreation);
    },
    createCommandEncoder: () => encoder,
    createBindGroup: ({ entries }: { entries: { resource: { buffer: Buffer } }[] }) => {
      for (const { resource } of entries)
        if (resource.buffer.size > own.maxStorageBufferBindingSize)
          throw new Error(`a buffer of ${resource.buffer.size} bytes`);
      if (entries.length > STORAGE_BUFFERS + 1)
        throw new Error(
          `a shader reads and writes ${entries.length - 1} tensors; a GPU may allow ${STORAGE_BUFFERS}`,
        );
    },
    addEventListener: (_: string, listen: typeof listener) => {
      listener = listen;
    },
    createShaderModule: () => ({}),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
  };
  const adapter = {
    info: { vendor: "none", architecture: "", description: "a GPU that counts" },
    limits: own,
    features: new Set(),
    requestDevice: async () => device,
  };
  Object.assign(globalThis, {
    GPUBuffer: Buffer,
    GPUTexture: class {},
    GPUBufferUsage,
    GPUMapMode: { READ: 1 },
  });
  const value = { gpu: { requestAdapter: async () => adapter } };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  return {
    take() {
      const before = counts;
      counts = none();
      return before;
    },
    refuse: (message) => listener({ error: new Error(message) }),
  };
}
