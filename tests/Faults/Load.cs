using System.Buffers.Binary;
using Maplog.Kernel;

namespace Maplog.Tests.Faults;

/// <summary>Two threads that change a map by bpf(2), one by one and in batches, and know how many changes they made.</summary>
internal sealed class Load : IDisposable
{
    /// <summary>Keys that both fight over, and keys of each one's batches.</summary>
    private const int Shared = 400, Own = 400, Batch = 64;

    /// <summary>Changes of one <see cref="Pour"/>: what the ring has room for, however long a daemon takes to come back.</summary>
    private const int Most = 8_000;

    private readonly Writer[] _writers;
    private long _elsewhere;

    public Load(BpfMap map, int seed, int threads = 2) => _writers = [.. Enumerable.Range(0, threads).Select(i => new Writer(map, seed * 31 + i, i))];

    public static uint Keys => Shared + 2 * Own;

    /// <summary>The map that is changed.</summary>
    public BpfMap Map => _writers[0].Map;

    /// <summary>Changes made, in all maps together.</summary>
    public long Made => _elsewhere + _writers.Sum(w => w.Made);

    public void Pour() => SetAll(writer => writer.Until = writer.Made + Most / _writers.Length);

    /// <summary>Returns when nothing is under way any more.</summary>
    public void Pause() => SetAll(writer => writer.Until = 0);

    /// <summary>Goes on with another map.</summary>
    public void Move(BpfMap next) => SetAll(writer => writer.Map = next);

    /// <summary>Goes on with a map that is new, and in which somebody else made changes already.</summary>
    public void MoveToNew(BpfMap next, long made)
    {
        Move(next);
        _elsewhere += made;
    }

    /// <summary>Makes so many changes at once, as fast as it goes.</summary>
    public void Burst(int changes)
    {
        for (var until = Made + changes; Made < until;)
            SetAll(writer => writer.Step());
    }

    public void Dispose()
    {
        foreach (var writer in _writers)
            writer.Dispose();
    }

    private void SetAll(Action<Writer> act)
    {
        foreach (var writer in _writers)
        {
            lock (writer)
                act(writer);
        }
    }

    private sealed class Writer : IDisposable
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

        private readonly Random _random;
        private readonly Thread _thread;
        private readonly int _ownFrom;
        private BpfMap _map = null!;
        private byte[] _keys = [], _values = [];
        private long _made;
        private volatile bool _ends;

        public Writer(BpfMap map, int seed, int number)
        {
            _random = new Random(seed);
            _ownFrom = Shared + number * Own;
            Map = map;
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        /// <summary>Changes that it makes in all, unless told otherwise.</summary>
        public long Until { get; set; }

        public long Made => Interlocked.Read(ref _made);

        public BpfMap Map
        {
            get => _map;
            set
            {
                _map = value;
                _keys = new byte[Batch * value.Info.KeySize];
                _values = new byte[Batch * value.Info.ValueBytes];
            }
        }

        public void Step()
        {
            var first = _ownFrom + _random.Next(Own - Batch);
            Fill(first);
            var made = _random.Next(8) switch
            {
                0 or 1 => _map.UpdateBatch(_keys, _values, Batch),
                2 => _map.DeleteBatch(_keys, Batch),
                _ => OneByOne(),
            };
            Interlocked.Add(ref _made, made);
        }

        public void Dispose()
        {
            _ends = true;
            _thread.Join();
        }

        private int OneByOne()
        {
            var made = 0;
            for (var i = 0; i < Batch / 4; i++)
            {
                var key = Key(i);
                BinaryPrimitives.WriteInt32LittleEndian(key, _random.Next(Shared));
                made += _random.Next(4) == 0 ? _map.Delete(key) ? 1 : 0 : _map.TryUpdate(key, _values.AsSpan(i * _map.Info.ValueBytes, _map.Info.ValueBytes)) == 0 ? 1 : 0;
            }
            return made;
        }

        private void Fill(int first)
        {
            _random.NextBytes(_values);
            for (var i = 0; i < Batch; i++)
                BinaryPrimitives.WriteInt32LittleEndian(Key(i), first + i);
        }

        private Span<byte> Key(int place) => _keys.AsSpan(place * _map.Info.KeySize, _map.Info.KeySize);

        private void Run()
        {
            while (!_ends)
            {
                lock (this)
                {
                    if (Made < Until)
                        Step();
                }
                Thread.Sleep(Pause);
            }
        }
    }
}
