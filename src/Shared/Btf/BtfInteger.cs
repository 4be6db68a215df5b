namespace Maplog.Btf;

/// <summary>How an integer is meant to be shown.</summary>
public enum BtfInteger
{
    Number,
    Character,
    Boolean,
}
