namespace Maplog.Kernel;

/// <summary>What an update does if the entry exists, or does not.</summary>
public enum UpdateMode
{
    /// <summary>Create or change the entry.</summary>
    Any = 0,

    /// <summary>Create the entry; EEXIST if it exists.</summary>
    NoExist = 1,

    /// <summary>Change the entry; ENOENT if it does not exist.</summary>
    Exist = 2,
}
